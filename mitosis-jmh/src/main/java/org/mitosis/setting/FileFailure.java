// SPDX-License-Identifier: Apache-2.0
package org.mitosis.setting;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * What to say of a file that cannot be read or written, for which Java often gives its path alone.
 */
public final class FileFailure {
  private FileFailure() {}

  /**
   * Path and reason.
   *
   * @param failure an exception with a message for the user, or one of the file system
   */
  public static String message(IOException failure) {
    return failure instanceof FileSystemException named && named.getFile() != null
        ? named.getFile() + ": " + reason(failure)
        : failure.getMessage();
  }

  /**
   * The reason alone.
   *
   * @param failure of a file that the message around names
   */
  public static String reason(IOException failure) {
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "a file is in the way";
    }
    if (failure instanceof DirectoryNotEmptyException) {
      return "the directory is not empty";
    }
    if (failure instanceof FileSystemException named && named.getReason() != null) {
      return named.getReason();
    }
    return failure.getMessage();
  }
}
