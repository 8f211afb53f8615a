// SPDX-License-Identifier: Apache-2.0
/*
 * Where keys must not be: in a snapshot of a process that has used one; and where
 * one must be: in every proof.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proto/user/auth.h"
#include "proto/user/sha256.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define KEY_SIZE 32

static void a_proof_needs_a_key(void)
{
	const struct auth empty = { .kind = WIRE_AUTH_KEY };
	const struct auth none = { .kind = WIRE_AUTH_NONE };
	struct auth known = { .kind = WIRE_AUTH_KEY, .key_size = KEY_SIZE };
	struct wire_challenge challenge = { 0 };
	struct wire_hello hello;
	struct wire_proof proof;
	struct hmac_part parts[] = {
		{ "server", 6 },
		{ &hello, sizeof(hello) },
		{ &challenge, offsetof(struct wire_challenge, mac) },
	};

	CHECK_EQ(auth_hello(&empty, &hello), 0);
	CHECK_EQ(auth_challenge(&empty, &hello, &challenge), -EACCES);
	/* As a machine without the key could answer one that has none, either. */
	challenge.auth = WIRE_AUTH_KEY;
	hmac_sha256("", 0, parts, 3, challenge.mac);
	CHECK_EQ(auth_prove(&empty, &hello, &challenge, &proof), -EACCES);
	parts[0].bytes = "client";
	hmac_sha256("", 0, parts, 3, proof.mac);
	CHECK_EQ(auth_check(&empty, &hello, &challenge, &proof), -EACCES);

	CHECK_EQ(auth_challenge(&known, &hello, &challenge), 0);
	CHECK_EQ(auth_prove(&known, &hello, &challenge, &proof), 0);
	CHECK_EQ(auth_check(&known, &hello, &challenge, &proof), 0);
	auth_forget(&known);
	CHECK_EQ(auth_check(&known, &hello, &challenge, &proof), -EACCES);

	CHECK_EQ(auth_hello(&none, &hello), 0);
	CHECK_EQ(auth_challenge(&none, &hello, &challenge), 0);
	CHECK_EQ(auth_prove(&none, &hello, &challenge, &proof), 0);
	CHECK_EQ(auth_check(&none, &hello, &challenge, &proof), 0);
}

/* How often 8 bytes, which are half a key at most, are in a process's memory. */
static int found_in(pid_t pid, const uint8_t needle[8])
{
	static char bytes[1 << 20];
	char path[64], line[512];
	unsigned long start, end;
	FILE *maps;
	int fd, found = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	CHECK(fd >= 0 && maps);
	while (fgets(line, sizeof(line), maps)) {
		CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
		while (start < end) {
			size_t want = end - start < sizeof(bytes) ? end - start
								  : sizeof(bytes);
			ssize_t n = pread(fd, bytes, want, start);
			char *at = bytes;

			if (n <= 0)
				break;
			while ((at = memmem(at, bytes + n - at, needle, 8)))
				found++, at++;
			start += n;
		}
	}
	fclose(maps);
	close(fd);
	return found;
}

static void reversed_words(uint8_t bytes[KEY_SIZE])
{
	uint8_t word[4];
	int i, j;

	for (i = 0; i < KEY_SIZE; i += 4) {
		memcpy(word, bytes + i, 4);
		for (j = 0; j < 4; j++)
			bytes[i + j] = word[3 - j];
	}
}

/* The key, as HMAC and SHA-256 have it on their way. */
static void a_snapshot_has_no_key(void)
{
	static const uint8_t pads[] = { 0, 0x36, 0x5c };
	uint8_t key[KEY_SIZE], needle[KEY_SIZE];
	struct mitosis *device;
	struct machine m;
	pid_t shadow;
	size_t i, j;
	int order, fd;

	use_key("kept");
	m = machine_start(2);
	device = open_user();
	CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	shadow = find_snapshot(device, 9).shadow_pid;
	/* Only now does this process know what it looks for. */
	fd = open(getenv("MITOSIS_KEY_FILE"), O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, key, sizeof(key)) == KEY_SIZE);
	close(fd);
	for (i = 0; i < sizeof(pads); i++) {
		for (order = 0; order < 2; order++) {
			for (j = 0; j < KEY_SIZE; j++)
				needle[j] = key[j] ^ pads[i];
			if (order)
				reversed_words(needle);
			for (j = 0; j < KEY_SIZE; j += 8)
				if (found_in(shadow, needle + j)) {
					printf("key ^ %#x is in the snapshot, "
					       "byte %zu, order %d\n",
					       pads[i], j, order);
					exit(1);
				}
		}
	}
	/* The search itself finds what is there. */
	memcpy(needle, key, sizeof(needle));
	CHECK(found_in(getpid(), needle) > 0);
	mitosis_close(device);
	machine_stop(&m);
}

int main(void)
{
	a_proof_needs_a_key();
	a_snapshot_has_no_key();
	return 0;
}
