// SPDX-License-Identifier: Apache-2.0
/* SHA-256 by the examples of FIPS 180-4; the CPU's instructions and plain code give the same, however a message is cut. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/user/sha256.h"
#include "tests/harness.h"

#define MILLION 1000000
#define SIZE	1000
#define MUCH	(2u << 20)

typedef void init(struct sha256 *h);

static void digest_in(init *init, const unsigned char *bytes, size_t size,
		      size_t piece, uint8_t digest[SHA256_SIZE])
{
	struct sha256 h;
	size_t n;

	init(&h);
	for (; size; bytes += n, size -= n) {
		n = piece < size ? piece : size;
		sha256_update(&h, bytes, n);
	}
	sha256_final(&h, digest);
}

static void check(init *init, const char *text, size_t size, const char *expected)
{
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	int i;

	digest_in(init, (const unsigned char *)text, size, size, digest);
	for (i = 0; i < SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	CHECK(!strcmp(hex, expected));
}

static void check_examples(init *init)
{
	static const char two_blocks[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *as = malloc(MILLION);

	CHECK(as);
	memset(as, 'a', MILLION);
	check(init, "", 0,
	      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check(init, "abc", 3,
	      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check(init, two_blocks, strlen(two_blocks),
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check(init, as, MILLION,
	      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(as);
}

static int64_t cpu_ns(init *init, const unsigned char *bytes)
{
	uint8_t digest[SHA256_SIZE];
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	digest_in(init, bytes, MUCH, SIZE, digest);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec;
}

/* Says how it is here; on a busy machine, too, it is CPU time. */
static void print_ratio(void)
{
	unsigned char *much = calloc(1, MUCH);
	struct sha256 h;

	CHECK(much);
	sha256_init_bulk(&h);
	printf("by instructions of the CPU: %s; plain code takes %.1f times as "
	       "long\n",
	       h.by_cpu ? "yes" : "no",
	       (double)cpu_ns(sha256_init, much) / cpu_ns(sha256_init_bulk, much));
	free(much);
}

int main(void)
{
	uint8_t plain[SHA256_SIZE], bulk[SHA256_SIZE];
	unsigned char bytes[SIZE];
	size_t size, piece;

	check_examples(sha256_init);
	check_examples(sha256_init_bulk);
	for (size = 0; size < SIZE; size++)
		bytes[size] = size * 37 >> 3;
	for (size = 0; size <= SIZE; size++) {
		digest_in(sha256_init, bytes, size, SIZE, plain);
		for (piece = 1; piece < SIZE; piece += 31) {
			digest_in(sha256_init_bulk, bytes, size, piece, bulk);
			CHECK(!memcmp(bulk, plain, sizeof(bulk)));
		}
	}
	print_ratio();
	return 0;
}
