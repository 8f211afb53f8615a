// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
/*
 * Runs in the kernel module and in shadows, too: no libc, no globals. The bytes are a
 * stranger's.
 */
#include "proto/build_id.h"

#ifdef __KERNEL__
#include <linux/elf.h>
#else
#include <elf.h>
#endif

#define BUILD_ID_MAX  ((BUILD_ID_TEXT - 1) / 2)
#define BUILD_ID_NOTE 3u /* NT_GNU_BUILD_ID */

void build_id_hex(const uint8_t *bytes, uint32_t size, char *text)
{
	uint32_t i;

	for (i = 0; i < size; i++) {
		*text++ = "0123456789abcdef"[bytes[i] >> 4];
		*text++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*text = '\0';
}

static uint64_t round_to(uint64_t size, uint64_t alignment)
{
	return (size + alignment - 1) & ~(alignment - 1);
}

static int is_build_id(const Elf64_Nhdr *note, const uint8_t *name)
{
	return note->n_type == BUILD_ID_NOTE && note->n_namesz == 4 &&
	       name[0] == 'G' && name[1] == 'N' && name[2] == 'U' && !name[3];
}

/* A note is a header, its name, and its contents, both padded. */
static void find_in_notes(const uint8_t *at, uint64_t size, uint64_t alignment,
			  char *text)
{
	Elf64_Nhdr note;

	while (size >= sizeof(note)) {
		uint64_t contents, next;

		__builtin_memcpy(&note, at, sizeof(note));
		contents = round_to(sizeof(note) + note.n_namesz, alignment);
		next = round_to(contents + note.n_descsz, alignment);
		if (contents + note.n_descsz > size)
			return;
		if (is_build_id(&note, at + sizeof(note))) {
			build_id_hex(at + contents,
				     note.n_descsz < BUILD_ID_MAX ? note.n_descsz
								  : BUILD_ID_MAX,
				     text);
			return;
		}
		if (next >= size)
			return;
		at += next;
		size -= next;
	}
}

static int is_elf(const Elf64_Ehdr *head, uint32_t size)
{
	return size >= sizeof(*head) && head->e_ident[0] == 0x7f &&
	       head->e_ident[1] == 'E' && head->e_ident[2] == 'L' &&
	       head->e_ident[3] == 'F' && head->e_ident[EI_CLASS] == ELFCLASS64 &&
	       head->e_ident[EI_DATA] == ELFDATA2LSB &&
	       head->e_phentsize == sizeof(Elf64_Phdr) && head->e_phoff <= size &&
	       !(head->e_phoff % 8);
}

void build_id_find(const void *bytes, uint32_t size, char text[BUILD_ID_TEXT])
{
	const uint8_t *file = bytes;
	const Elf64_Ehdr *head = bytes;
	const Elf64_Phdr *part;
	uint32_t i;

	text[0] = '\0';
	if (!is_elf(head, size))
		return;
	part = (const Elf64_Phdr *)(file + head->e_phoff);
	for (i = 0; i < head->e_phnum && !text[0]; i++, part++) {
		uint64_t left;

		if ((const uint8_t *)(part + 1) > file + size)
			return;
		if (part->p_type != PT_NOTE || part->p_offset >= size)
			continue;
		left = size - part->p_offset;
		find_in_notes(file + part->p_offset,
			      part->p_filesz < left ? part->p_filesz : left,
			      part->p_align == 8 ? 8 : 4, text);
	}
}
