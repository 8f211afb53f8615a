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

/* A whole handshake of two machines that are configured alike. */
static int agree(const struct auth *auth, struct handshake *shake)
{
	struct wire_proof proof;
	int err = auth_hello(auth, shake);

	if (!err)
		err = auth_challenge(auth, shake);
	if (!err)
		err = auth_prove(auth, shake, &proof);
	return err ? err : auth_check(auth, shake, &proof);
}

static void a_proof_needs_a_key(enum wire_protection protection)
{
	const struct auth empty = { .protection = protection };
	struct auth known = { .protection = protection, .key_size = KEY_SIZE };
	struct handshake shake = { 0 };
	struct wire_proof proof;
	struct hmac_part parts[] = {
		{ "server", 6 },
		{ &shake.hello, sizeof(shake.hello) },
		{ &shake.challenge, offsetof(struct wire_challenge, mac) },
		{ &shake.binding, sizeof(shake.binding) },
	};
	size_t count = protection == WIRE_PROTECTION_SEALED ? 4 : 3;

	CHECK_EQ(auth_hello(&empty, &shake), 0);
	CHECK_EQ(auth_challenge(&empty, &shake), -EACCES);
	/* As a machine without the key could answer one that has none, either. */
	hmac_sha256("", 0, parts, count, shake.challenge.mac);
	CHECK_EQ(auth_prove(&empty, &shake, &proof), -EACCES);
	parts[0].bytes = "client";
	hmac_sha256("", 0, parts, count, proof.mac);
	CHECK_EQ(auth_check(&empty, &shake, &proof), -EACCES);

	CHECK_EQ(agree(&known, &shake), 0);
	CHECK_EQ(auth_prove(&known, &shake, &proof), 0);
	auth_forget(&known);
	CHECK_EQ(auth_check(&known, &shake, &proof), -EACCES);
}

static void no_proof_without_protection(void)
{
	const struct auth none = { .protection = WIRE_PROTECTION_NONE };
	struct handshake shake = { 0 };

	CHECK_EQ(agree(&none, &shake), 0);
}

/* A server of another protection names its own, and gives no MAC away. */
static void other_protection(void)
{
	static const uint8_t zeros[WIRE_MAC_SIZE];
	const struct auth client = { .protection = WIRE_PROTECTION_SEALED,
				     .key_size = KEY_SIZE };
	const struct auth server = { .protection = WIRE_PROTECTION_HANDSHAKE,
				     .key_size = KEY_SIZE };
	struct handshake shake = { 0 };
	struct wire_proof proof;

	CHECK_EQ(auth_hello(&client, &shake), 0);
	CHECK_EQ(auth_challenge(&server, &shake), -EPROTOTYPE);
	CHECK_EQ(shake.challenge.protection, WIRE_PROTECTION_HANDSHAKE);
	CHECK(!memcmp(shake.challenge.mac, zeros, sizeof(zeros)));
	CHECK_EQ(auth_prove(&client, &shake, &proof), -EPROTOTYPE);
}

/* Everything that is bound changes the proofs and the secrets. */
static void what_is_bound(void)
{
	const struct auth auth = { .protection = WIRE_PROTECTION_SEALED,
				   .key_size = KEY_SIZE,
				   .key = "any" };
	struct handshake shake = { 0 }, changed;
	struct wire_secrets secrets, others;
	struct wire_proof proof;
	size_t i, end = offsetof(struct wire_challenge, mac);
	struct {
		size_t from, to;
	} bound[] = {
		{ offsetof(struct handshake, hello),
		  offsetof(struct handshake, hello) + sizeof(shake.hello) },
		{ offsetof(struct handshake, challenge),
		  offsetof(struct handshake, challenge) + end },
		{ offsetof(struct handshake, binding),
		  offsetof(struct handshake, binding) + sizeof(shake.binding) },
	}, *b;

	CHECK_EQ(agree(&auth, &shake), 0);
	CHECK_EQ(auth_prove(&auth, &shake, &proof), 0);
	auth_secrets(&auth, &shake, &secrets);
	CHECK(memcmp(&secrets.client, &secrets.server, sizeof(secrets.client)));
	for (b = bound; b < bound + 3; b++) {
		for (i = b->from; i < b->to; i++) {
			changed = shake;
			((uint8_t *)&changed)[i] ^= 1;
			CHECK_EQ(auth_check(&auth, &changed, &proof), -EACCES);
			auth_secrets(&auth, &changed, &others);
			CHECK(memcmp(&secrets.client, &others.client,
				     sizeof(secrets.client)));
			CHECK(memcmp(&secrets.server, &others.server,
				     sizeof(secrets.server)));
		}
	}
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
	a_proof_needs_a_key(WIRE_PROTECTION_HANDSHAKE);
	a_proof_needs_a_key(WIRE_PROTECTION_SEALED);
	no_proof_without_protection();
	other_protection();
	what_is_bound();
	a_snapshot_has_no_key();
	return 0;
}
