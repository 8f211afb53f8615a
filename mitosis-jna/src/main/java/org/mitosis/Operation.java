// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/** The operations of a {@link Device}, by the names that the documentation uses. */
public enum Operation {
  /** Opening a device. */
  OPEN("open"),
  /** Calling the backend and nothing else. */
  NIL("nil"),
  /** Taking a snapshot that goes with its device. */
  PREPARE("prepare"),
  /** Taking a snapshot that stays until it is unprepared. */
  PREPARE_PINNED("pinned prepare"),
  /** Dropping a snapshot. */
  UNPREPARE("unprepare"),
  /** Listing the snapshots of this machine. */
  LIST("list"),
  /** Opening a session to another machine. */
  CONNECT("connect"),
  /** One empty request to another machine. */
  NIL_RPC("nil RPC"),
  /** Becoming a child of a snapshot on this machine. */
  RESUME_LOCAL("local resume"),
  /** Becoming a child of a snapshot on another machine. */
  RESUME_REMOTE("remote resume"),
  /** Closing a device. */
  CLOSE("close");

  private final String label;

  Operation(String label) {
    this.label = label;
  }

  /** The name of the operation, lower case. */
  @Override
  public String toString() {
    return label;
  }
}
