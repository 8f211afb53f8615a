# SPDX-License-Identifier: Apache-2.0
# make install: what programs of others need. benchmarks.jar, its manual page and bash's
# completion come along if the jar was built (./bench doctor).

PREFIX	?= /usr/local
DESTDIR	?=
# The library starts the daemon beside it, so that both are in a folder of their own.
LIBDIR	= $(PREFIX)/lib/mitosis
COMMANDS := mitosisd mitosis-child mitosis-prepare mitosis-unprepare
JAR	:= ../mitosis-jmh/target/benchmarks.jar
JAVA	?= java
INSTALLED = $(LIBDIR) $(PREFIX)/include/mitosis $(PREFIX)/share/mitosis \
	$(PREFIX)/lib/pkgconfig/mitosis.pc $(COMMANDS:%=$(PREFIX)/bin/%) \
	$(PREFIX)/bin/mitosis-bench $(PREFIX)/share/man/man1/mitosis-bench.1 \
	$(PREFIX)/share/bash-completion/completions/mitosis-bench
# $(call command,NAME,COMMAND): a program in bin/ that is another one.
command = printf '\043!/bin/sh\nexec %s "$$@"\n' '$(2)' >'$(DESTDIR)$(PREFIX)/bin/$(1)' && \
	chmod 755 '$(DESTDIR)$(PREFIX)/bin/$(1)'

.PHONY: install uninstall one-prefix
# What is removed is named by words.
one-prefix:
	@case '$(PREFIX)' in *[[:space:]]*|[!/]*|'') \
		echo "PREFIX must be an absolute path without blanks, got '$(PREFIX)'" >&2; exit 1;; esac

install: ## libraries, programs, headers, mitosis.pc, and what is built of Java: PREFIX=/usr/local DESTDIR=
install: one-prefix programs
	install -d '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(PREFIX)/bin' \
		'$(DESTDIR)$(PREFIX)/include/mitosis/uapi' '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	install -m 755 $(BIN)/* '$(DESTDIR)$(LIBDIR)'
	install -m 644 include/libmitosis.h '$(DESTDIR)$(PREFIX)/include/mitosis'
	install -m 644 include/uapi/*.h '$(DESTDIR)$(PREFIX)/include/mitosis/uapi'
	@$(foreach name,$(COMMANDS),$(call command,$(name),$(LIBDIR)/$(name)) && ) true
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib/mitosis' \
		'includedir=$${prefix}/include/mitosis' '' 'Name: mitosis' \
		'Description: Remote fork of Linux processes' 'Version: $(VERSION)' \
		'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -Wl,-rpath,$${libdir} -lmitosis' \
		>'$(DESTDIR)$(PREFIX)/lib/pkgconfig/mitosis.pc'
	@if [ -e $(JAR) ]; then $(MAKE) -s install-java; else \
		echo '$(JAR) is not built: without mitosis-bench, its manual page and completion'; fi

.PHONY: install-java
install-java:
	install -d '$(DESTDIR)$(PREFIX)/share/mitosis' '$(DESTDIR)$(PREFIX)/share/man/man1' \
		'$(DESTDIR)$(PREFIX)/share/bash-completion/completions'
	install -m 644 $(JAR) '$(DESTDIR)$(PREFIX)/share/mitosis'
	@$(call command,mitosis-bench,java -jar $(PREFIX)/share/mitosis/benchmarks.jar)
	$(JAVA) -jar $(JAR) man-page >'$(DESTDIR)$(PREFIX)/share/man/man1/mitosis-bench.1'
	$(JAVA) -jar $(JAR) completion \
		>'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/mitosis-bench'

uninstall: ## remove what `make install` has put there: PREFIX=/usr/local DESTDIR=
uninstall: one-prefix
	rm -rf $(INSTALLED:%='$(DESTDIR)%')
