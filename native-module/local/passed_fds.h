/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came with a received message: descriptors (SCM_RIGHTS) and its sender. Every recvmsg() in
 * user space uses it: a descriptor that is not looked at stays open for ever. No C
 * library, for shadows.
 */
#ifndef LOCAL_PASSED_FDS_H
#define LOCAL_PASSED_FDS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Linux 6.5: the sender's pidfd, if a holder of the socket has set SO_PASSPIDFD. */
#define PASSED_PIDFD_TYPE 4

/* Bytes of a control buffer for `count` descriptors; an odd one has room for another. */
#define PASSED_FDS_SPACE(count) CMSG_SPACE((count) * sizeof(int))
#define PASSED_SENDER_SPACE	CMSG_SPACE(sizeof(struct ucred))

/*
 * Copies all descriptors of a message, at most `room`, for which its control buffer
 * was made, to `fds`, and their number to *count; and to *sender, unless NULL, the
 * sender's credentials, if the socket has SO_PASSCRED. Returns 0; -EMFILE if this process had no room
 * for one of them; -EPROTO if more came than fit, or anything else than descriptors.
 * The caller closes them on an error.
 */
static inline int passed_fds_take(const struct msghdr *msg, int *fds, uint32_t room,
				  uint32_t *count, struct ucred *sender)
{
	const char *at = msg->msg_control, *end = at + msg->msg_controllen;
	int err = 0;

	*count = 0;
	while ((size_t)(end - at) >= sizeof(struct cmsghdr)) {
		const struct cmsghdr *c = (const struct cmsghdr *)at;
		const int *data = (const int *)(at + CMSG_LEN(0));
		size_t length = c->cmsg_len;
		uint32_t n, i;

		if (length < CMSG_LEN(0) || length > (size_t)(end - at))
			break;
		n = (length - CMSG_LEN(0)) / sizeof(int);
		if (sender && c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_CREDENTIALS &&
		    length == CMSG_LEN(sizeof(*sender)))
			*sender = *(const struct ucred *)data;
		else if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			err = -EPROTO;
		if (c->cmsg_level == SOL_SOCKET &&
		    (c->cmsg_type == SCM_RIGHTS ||
		     c->cmsg_type == PASSED_PIDFD_TYPE))
			for (i = 0; i < n && *count < room; i++)
				if (data[i] >= 0)
					fds[(*count)++] = data[i];
		length = CMSG_ALIGN(length);
		at = length > (size_t)(end - at) ? end : at + length;
	}
	if (!err && msg->msg_flags & MSG_CTRUNC)
		err = *count < room ? -EMFILE : -EPROTO;
	return err;
}

#endif /* LOCAL_PASSED_FDS_H */
