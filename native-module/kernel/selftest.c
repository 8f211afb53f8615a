// SPDX-License-Identifier: GPL-2.0
#include "selftest.h"

#include <linux/err.h>
#include <linux/in.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/net_namespace.h>

#include "address.h"
#include "auth.h"
#include "dropped.h"
#include "proto/descriptor.h"
#include "record.h"

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			pr_err("selftest: %s:%d: %s\n", __func__, __LINE__, #condition);           \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

static int failures;

#define FIRST 0x400000ull
#define VMAS  3
#define FDS   4

/* A valid descriptor with all of its parts. */
struct sample {
	struct descriptor_header header;
	struct descriptor_thread thread;
	struct descriptor_vma vmas[VMAS];
	struct descriptor_fd fds[FDS];
	char strings[64];
	char xstate[XSTATE_SIZE_MIN];
};

static struct sample *make_sample(void)
{
	struct sample *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u64 before = offsetof(struct sample, xstate);
	u32 i;

	if (!s)
		return NULL;
	/* The strings are shortened so that the xstate starts at a multiple of 64. */
	s->header = (struct descriptor_header){
		.magic = DESCRIPTOR_MAGIC,
		.version = DESCRIPTOR_VERSION,
		.header_size = sizeof(s->header),
		.total_size = before - before % XSTATE_ALIGNMENT + XSTATE_SIZE_MIN,
		.thread_count = 1,
		.vma_count = VMAS,
		.fd_count = FDS,
		.strings_size = sizeof(s->strings) - before % XSTATE_ALIGNMENT,
		.xstate_size = XSTATE_SIZE_MIN,
		.xfeatures = 3,
		.page_size = PAGE_SIZE,
	};
	s->thread.rip = FIRST;
	s->thread.rsp = FIRST + PAGE_SIZE;
	for (i = 0; i < VMAS; i++)
		s->vmas[i] = (struct descriptor_vma){
			.start = FIRST + 2 * i * PAGE_SIZE,
			.end = FIRST + (2 * i + 1) * PAGE_SIZE,
			.protection = PROT_READ,
			.map_flags = MAP_PRIVATE,
			.kind = VMA_SNAPSHOT,
			.name = DESCRIPTOR_NO_STRING,
			.build_id = DESCRIPTOR_NO_STRING,
			.digest = DESCRIPTOR_NO_STRING,
		};
	for (i = 0; i < FDS; i++)
		s->fds[i] = (struct descriptor_fd){
			.number = 3 + i,
			.kind = FD_EVENT,
			.shares = DESCRIPTOR_FD_OWN,
			.path = DESCRIPTOR_NO_STRING,
		};
	s->fds[0].kind = FD_FILE;
	s->fds[0].path = 0;
	s->fds[1].kind = FD_FILE;
	s->fds[1].shares = 0;
	s->vmas[0].kind = VMA_FILE;
	s->vmas[0].name = 0;
	strscpy(s->strings, "/a", sizeof(s->strings));
	return s;
}

static int check(struct sample *s)
{
	return descriptor_check(s, s->header.total_size, PAGE_SIZE);
}

/* Checks that a sample with one invalid field is refused. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct sample *s;                                                                  \
		s = make_sample();                                                                 \
		if (!s) {                                                                          \
			failures++;                                                                \
			break;                                                                     \
		}                                                                                  \
		change;                                                                            \
		EXPECT(check(s) == -EPROTO);                                                       \
		kfree(s);                                                                          \
	} while (0)

static void test_descriptor(void)
{
	struct sample *good = make_sample();

	if (!good) {
		failures++;
		return;
	}
	EXPECT(check(good) == 0);
	EXPECT(descriptor_string(&good->header, 0) == good->strings);
	EXPECT(descriptor_vmas(&good->header) == good->vmas);
	EXPECT((unsigned long)descriptor_xstate(&good->header) % XSTATE_ALIGNMENT ==
	       (unsigned long)good % XSTATE_ALIGNMENT);
	EXPECT(descriptor_check(good, sizeof(good->header) - 1, PAGE_SIZE) == -EPROTO);
	kfree(good);
	REFUSED(s->header.magic++);
	REFUSED(s->header.version++);
	REFUSED(s->header.total_size++);
	REFUSED(s->header.vma_count++);
	REFUSED(s->header.vma_count = U32_MAX);
	REFUSED(s->header.thread_count = 2);
	REFUSED(s->header.page_size = 8192);
	REFUSED(s->header.xfeatures = 1ull << 62);
	REFUSED(s->header.layout.brk = USER_MEMORY_END);
	REFUSED(s->header.layout.arg_start = 1);
	REFUSED(s->header.flags = 0x80);
	REFUSED(s->header.state.known = PROCESS_ALL + 1);
	REFUSED(s->header.state.auxv_words = DESCRIPTOR_AUXV_WORDS + 2);
	REFUSED(s->header.state.known = PROCESS_SCHEDULING;
		s->header.state.policy = 6); /* deadline */
	REFUSED(s->header.state.known = PROCESS_WORKING_DIRECTORY;
		s->header.state.working_directory = 1); /* not a path */
	REFUSED(s->thread.rip = FIRST + PAGE_SIZE);
	REFUSED(s->thread.rsp = 0);
	REFUSED(s->thread.fs_base = U64_MAX);
	REFUSED(s->vmas[1].start++);
	REFUSED(s->vmas[1].flags = 0x8000);
	REFUSED(s->vmas[1].flags = DESCRIPTOR_VMA_WIPE); /* of pages that it has */
	REFUSED(s->vmas[1].end = s->vmas[1].start);
	REFUSED(s->vmas[1].start = FIRST);
	REFUSED(s->vmas[2].end = 1ull << 62);
	REFUSED(s->vmas[1].protection = 0x80);
	REFUSED(s->vmas[1].map_flags = 0);
	REFUSED(s->vmas[1].kind = 9);
	REFUSED(s->vmas[1].kind = VMA_FILE);
	REFUSED(s->vmas[1].name = 1000);
	REFUSED(s->header.fd_count++);
	REFUSED(s->header.data_size++);
	REFUSED(s->header.data_size = U64_MAX);
	REFUSED(s->fds[0].number = 2); /* standard error */
	REFUSED(s->fds[1].number = 3);
	REFUSED(s->fds[3].number = U32_MAX);
	REFUSED(s->fds[2].kind = 0);
	REFUSED(s->fds[2].kind = FD_KINDS + 1);
	REFUSED(s->fds[2].kind = FD_FILE);
	REFUSED(s->fds[2].kind = FD_SOCKET); /* of no domain */
	REFUSED(s->fds[2].kind = FD_SOCKET_PAIR);
	REFUSED(s->fds[2].flags = 0x80);
	REFUSED(s->fds[2].shares = 2);
	REFUSED(s->fds[2].shares = 0); /* of another kind */
	REFUSED(s->fds[2].shares = 1);
	REFUSED(s->fds[2].path = 1000);
	REFUSED(s->fds[2].data_size = 1);
	REFUSED(s->fds[2].data = 1);
	REFUSED(s->fds[2].position = 1ull << 63);
}

/* Ranges that touch are one; of more than there may be, each block has its bits. */
static void test_dropped_ranges(void)
{
	const unsigned long block = 512;
	struct dropped d;
	unsigned long i;

	mitosis_dropped_init(&d);
	for (i = 0; i < 8; i++)
		mitosis_dropped_add(&d, (i ^ 1) * block, ((i ^ 1) + 1) * block - 1);
	EXPECT(d.ranges == 1);
	mitosis_dropped_add(&d, 2 * block, 5 * block - 1);
	mitosis_dropped_add(&d, 6 * block, 12 * block - 1);
	EXPECT(d.ranges == 1);
	EXPECT(mitosis_dropped_has(&d, 0) && mitosis_dropped_has(&d, 12 * block - 1));
	EXPECT(!mitosis_dropped_has(&d, 12 * block));
	for (i = 0; i < DROPPED_RANGES_MAX + 10; i++)
		mitosis_dropped_add(&d, (100 + 2 * i) * block, (101 + 2 * i) * block - 1);
	EXPECT(d.ranges == DROPPED_RANGES_MAX);
	i = (100 + 2 * (DROPPED_RANGES_MAX + 9)) * block;
	EXPECT(mitosis_dropped_has(&d, i) && mitosis_dropped_has(&d, i + block - 1));
	EXPECT(!mitosis_dropped_has(&d, i - 1) && !mitosis_dropped_has(&d, i + block));
	/* One that touches all of them takes their places. */
	mitosis_dropped_add(&d, 99 * block, (101 + 2 * DROPPED_RANGES_MAX) * block - 1);
	EXPECT(d.ranges == 2 && mitosis_dropped_has(&d, 101 * block));
	EXPECT(!mitosis_dropped_is_lost(&d));
	mitosis_dropped_destroy(&d);
}

static void test_dropped(void)
{
	struct dropped a, b, c;

	mitosis_dropped_init(&a);
	mitosis_dropped_init(&b);
	mitosis_dropped_init(&c);
	EXPECT(!mitosis_dropped_has(&a, 0));
	mitosis_dropped_add(&a, 5, 5);
	mitosis_dropped_add(&a, 510, 513);
	mitosis_dropped_add(&a, 1024, 4095); /* whole blocks */
	mitosis_dropped_add(&a, 1ul << 40, (1ul << 40) + 600);
	EXPECT(mitosis_dropped_has(&a, 5));
	EXPECT(!mitosis_dropped_has(&a, 4) && !mitosis_dropped_has(&a, 6));
	EXPECT(mitosis_dropped_has(&a, 510) && mitosis_dropped_has(&a, 513));
	EXPECT(!mitosis_dropped_has(&a, 509) && !mitosis_dropped_has(&a, 514));
	EXPECT(mitosis_dropped_has(&a, 1024) && mitosis_dropped_has(&a, 4095));
	EXPECT(!mitosis_dropped_has(&a, 1023) && !mitosis_dropped_has(&a, 4096));
	EXPECT(mitosis_dropped_has(&a, (1ul << 40) + 600));
	mitosis_dropped_add(&a, 1500, 1500); /* within a whole block */
	EXPECT(mitosis_dropped_has(&a, 1501));
	/* More than the largest address space has, at once. */
	mitosis_dropped_add(&a, (1ul << 41) - 1, 1ul << 51);
	EXPECT(mitosis_dropped_has(&a, (1ul << 41) - 1) && mitosis_dropped_has(&a, 1ul << 41));
	EXPECT(mitosis_dropped_has(&a, 1ul << 51) && !mitosis_dropped_has(&a, (1ul << 51) + 1));
	EXPECT(!mitosis_dropped_has(&a, (1ul << 41) - 2));
	mitosis_dropped_copy(&b, &a);
	mitosis_dropped_add(&b, 7, 7);
	EXPECT(mitosis_dropped_has(&b, 5) && mitosis_dropped_has(&b, 2000));
	EXPECT(mitosis_dropped_has(&b, 1ul << 45) && !mitosis_dropped_has(&b, 1ul << 52));
	EXPECT(mitosis_dropped_has(&b, 7));
	EXPECT(!mitosis_dropped_has(&a, 7));
	EXPECT(!mitosis_dropped_is_lost(&b));
	mitosis_dropped_lose(&a);
	mitosis_dropped_copy(&c, &a);
	EXPECT(mitosis_dropped_is_lost(&c));
	mitosis_dropped_destroy(&a);
	mitosis_dropped_destroy(&b);
	mitosis_dropped_destroy(&c);
}

/* RFC 4231, test case 2, in two parts. */
static void test_mac(void)
{
	static const u8 expected[] = {
		0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
		0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
		0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
	};
	const struct mac_part parts[] = {
		{ "what do ya want ", 16 },
		{ "for nothing?", 12 },
	};
	u8 mac[WIRE_MAC_SIZE];

	EXPECT(mitosis_auth_mac("Jefe", 4, parts, ARRAY_SIZE(parts), mac) == 0);
	EXPECT(!memcmp(mac, expected, sizeof(mac)));
}

/* RFC 5869, test case 1: the first block. */
static void test_hkdf(void)
{
	static const u8 expected[] = {
		0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f,
		0x64, 0xd0, 0x36, 0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a,
		0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf,
	};
	u8 bytes[22 + 13 + 10], out[sizeof(expected)];
	const struct mac_part key = { bytes, 22 }, salt = { bytes + 22, 13 };
	const struct mac_part info[] = { { bytes + 35, 4 }, { bytes + 39, 6 } };
	u8 i;

	memset(bytes, 0x0b, 22);
	for (i = 0; i < 13; i++)
		bytes[22 + i] = i;
	for (i = 0; i < 10; i++)
		bytes[35 + i] = 0xf0 + i;
	EXPECT(mitosis_auth_hkdf(&salt, &key, info, 2, out, sizeof(out)) == 0);
	EXPECT(!memcmp(out, expected, sizeof(out)));
}

/* The record that tests/test_record.c has, too. */
static void test_record(void)
{
	static const struct wire_record_secret secret = { "0123456789abcdef", "nonce of 12" };
	static const u8 sealed[] = { 0x96, 0xb2, 0x7e, 0x88 };
	static const u8 tag[] = { 0xbf, 0xf7, 0x6c, 0x11, 0xe9, 0x63, 0x50, 0xe2,
				  0xfc, 0xf3, 0x22, 0x3a, 0x66, 0x19, 0x16, 0x21 };
	struct record_direction *d = mitosis_record_create(&secret);
	u8 out[sizeof(sealed)];
	const struct kvec text[] = { { "te", 2 }, { "xt", 2 } }, whole = { out, sizeof(out) };

	EXPECT(!IS_ERR(d));
	if (IS_ERR(d))
		return;
	d->number = 7;
	EXPECT(mitosis_record_seal(d, text, 2, sizeof(out), out) == 0);
	EXPECT(!memcmp(out, sealed, sizeof(out)) && !memcmp(d->tag, tag, sizeof(tag)));
	EXPECT(d->header.magic == WIRE_RECORD_MAGIC && d->header.size == sizeof(out));
	EXPECT(d->header.number == 7 && d->number == 8);
	EXPECT(mitosis_record_check_header(d) == -EALREADY);
	d->number = 6;
	EXPECT(mitosis_record_check_header(d) == -EILSEQ);
	d->number = 7;
	EXPECT(mitosis_record_check_header(d) == 0);
	d->tag[0] ^= 1;
	EXPECT(mitosis_record_open(d, &whole, 1) == -EBADMSG && d->number == 7);
	d->tag[0] ^= 1;
	memcpy(out, sealed, sizeof(out));
	EXPECT(mitosis_record_open(d, &whole, 1) == 0 && d->number == 8);
	EXPECT(!memcmp(out, "text", sizeof(out)));
	d->header.size = WIRE_RECORD_TEXT_MAX + 1;
	EXPECT(mitosis_record_check_header(d) == -EMSGSIZE);
	d->header.magic++;
	EXPECT(mitosis_record_check_header(d) == -EPROTO);
	mitosis_record_destroy(d);
}

static struct machine_address parsed;

static int parse(const char *text)
{
	return mitosis_address_parse(&init_net, text, &parsed);
}

static void test_address(void)
{
	EXPECT(parse("tcp://127.0.0.1:7000") == 0);
	EXPECT(parsed.socket.ss_family == AF_INET && !parsed.rdma);
	EXPECT(parse("tcp://[::1]:7000") == 0);
	EXPECT(parsed.socket.ss_family == AF_INET6);
	EXPECT(parse("127.0.0.1:7000") < 0);
	EXPECT(parse("tcp://127.0.0.1") < 0);
	EXPECT(parse("tcp://127.0.0.1:") < 0);
	EXPECT(parse("tcp://127.0.0.1:0") < 0);
	EXPECT(parse("tcp://127.0.0.1:65536") < 0);
	EXPECT(parse("tcp://::1:7000") < 0);
	EXPECT(parse("tcp://[::1:7000") < 0);
	EXPECT(parse("tcp://[::1]7000") < 0);
	EXPECT(parse("tcp://localhost:7000") < 0);
	EXPECT(parse("rdma://[::1]:7000") == 0 && parsed.rdma);
	EXPECT(parse("rdma://127.0.0.1") == 0 && parsed.rdma);
	EXPECT(((struct sockaddr_in *)&parsed.socket)->sin_port == htons(7473));
	EXPECT(parse("rdma://127.0.0.1:0") < 0);
	EXPECT(parsed.nic == 0);
	EXPECT(parse("rdma://127.0.0.1%0") == 0 && parsed.nic == 1);
	EXPECT(((struct sockaddr_in *)&parsed.socket)->sin_port == htons(7473));
	EXPECT(parse("rdma://127.0.0.1:7000%12") == 0 && parsed.nic == 13);
	EXPECT(((struct sockaddr_in *)&parsed.socket)->sin_port == htons(7000));
	EXPECT(parse("rdma://[::1]%3") == 0 && parsed.nic == 4);
	EXPECT(parse("rdma://[0000:0000:0000:0000:0000:ffff:0a07:0001]%0") == 0);
	EXPECT(parsed.socket.ss_family == AF_INET);
	EXPECT(((struct sockaddr_in *)&parsed.socket)->sin_addr.s_addr == htonl(0x0a070001));
	EXPECT(parse("rdma://127.0.0.1%") < 0);
	EXPECT(parse("rdma://127.0.0.1%255") < 0);
	EXPECT(parse("rdma://127.0.0.1%1x") < 0);
	EXPECT(parse("rdma://127.0.0.1%1:7000") < 0);
	EXPECT(parse("tcp://127.0.0.1:7000%0") < 0);
	EXPECT(parse("rdma://") < 0);
	EXPECT(parse("0000:0000:0000:0000:0000:ffff:0a07:0001") == 0 && parsed.rdma);
	EXPECT(((struct sockaddr_in *)&parsed.socket)->sin_addr.s_addr == htonl(0x0a070001));
	EXPECT(parse("fd00:0000:0000:0000:0000:0000:0000:0001") == 0);
	EXPECT(parsed.socket.ss_family == AF_INET6);
	EXPECT(parse("fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c") == -ENODEV);
	EXPECT(parse("fd00:0000:0000:0000:0000:0000:0000:00010") < 0);
}

int mitosis_selftest_run(void)
{
	test_descriptor();
	test_dropped();
	test_dropped_ranges();
	test_mac();
	test_hkdf();
	test_record();
	test_address();
	if (failures)
		return -EINVAL;
	pr_info("selftest passed\n");
	return 0;
}
