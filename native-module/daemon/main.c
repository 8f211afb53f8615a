// SPDX-License-Identifier: Apache-2.0
/*
 * mitosisd: the daemon of the user backend on one machine. It keeps the registry
 * of snapshots, connects devices with shadows, and ends when it has been idle for
 * a while.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/count.h"
#include "daemon/page_counts.h"
#include "daemon/greeting.h"
#include "daemon/listener.h"
#include "daemon/origin.h"
#include "daemon/orphan.h"
#include "daemon/peer.h"
#include "daemon/snapshots.h"
#include "daemon/transport.h"
#include "daemon/watchdog.h"
#include "daemon/wire_replica.h"
#include "daemon/wire_server.h"
#include "local/address.h"
#include "local/child_limits.h"
#include "local/options.h"
#include "local/runtime_dir.h"
#include "proto/user/auth_config.h"

#define IDLE_MS_DEFAULT 1000

/* clang-format off */
static const char usage[] =
	"usage: mitosisd [options]\n"
	"\n"
	"Keeps the snapshots of the mitosis user backend on this machine.\n"
	"libmitosis starts it when it is needed; it ends when it is idle.\n"
	"\n"
	"  --runtime-dir DIR  directory of its socket (default $MITOSIS_RUNTIME_DIR,\n"
	"                     else /run/mitosis for root, $XDG_RUNTIME_DIR/mitosis,\n"
	"                     or /tmp/mitosis-UID)\n"
	"  --idle-ms N        end after N ms without device or snapshot\n"
	"                     (default $MITOSIS_IDLE_MS, else 1000)\n"
	"  --machine-id N     id of this machine (default $MITOSIS_MACHINE_ID, else 0)\n"
	"  --listen ADDRESS   serve other machines at tcp://host:port (default\n"
	"                     $MITOSIS_LISTEN, else none), and do not end when idle\n"
	"  --key-file FILE    pre-shared key, mode 0600 (default $MITOSIS_KEY_FILE, else\n"
	"                     ~/.config/mitosis/key, else /etc/mitosis/key)\n"
	"  --protection WHAT  of sessions between machines, the same on both sides:\n"
	"                     sealed     key, and all messages encrypted\n"
	"                     handshake  key, then plain messages: for trusted networks\n"
	"                     none       no key; only for loopback addresses\n"
	"                     (default $MITOSIS_PROTECTION, else sealed)\n"
	"  --transport WHAT   of pages from machines at tcp:// addresses:\n"
	"                     tcp        TCP; RDMA only for rdma:// addresses\n"
	"                     auto       RDMA if both machines have a device and\n"
	"                                --protection is handshake, else TCP\n"
	"                     (default $MITOSIS_TRANSPORT, else tcp)\n"
	"  --private-network  allow --protection none with any address: every machine\n"
	"                     that reaches it can read all snapshots\n"
	"                     (default $MITOSIS_PRIVATE_NETWORK=1, else no)\n"
	"  --foreground       stay in the foreground\n"
	"  --version          print the release and exit\n"
	"\n"
	"Environment variables:\n"
	"\n"
	"  MITOSIS_PAGERS           processes that serve snapshots of other machines, at\n"
	"                           most (default 64)\n"
	"  MITOSIS_CHILD_PROCESSES  processes that a child served by them can consist of\n"
	"                           (default 256)\n"
	"  MITOSIS_CHILD_MAP_KIB    memory for the changed mappings of such a child, KiB\n"
	"                           (default 16384)\n"
	"  MITOSIS_REPLICA_FILL     pages that a replica gets before children ask: off,\n"
	"                           recorded (default: those that an earlier child touched\n"
	"                           first) or all\n"
	"  MITOSIS_REPLICA_MIB      memory of these and of the pages that its children have\n"
	"                           fetched, MiB (default half of the free memory; 0: none)\n"
	"  MITOSIS_TRACE            1: write each step of all processes to mitosis.trace\n"
	"                           in the runtime directory; 2: also each page fault\n";
/* clang-format on */

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* The same after a failed system call: the exit status holds its errno. */
static void __attribute__((noreturn, format(printf, 2, 3)))
die_of(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(RUNTIME_EXIT_ERRNO + err);
}

static int parse_ms(const char *text, const char *name)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < 0 ||
	    value > MITOSIS_DEADLINE_MS_MAX)
		die("%s must be between 0 and %d ms, got '%s'", name,
		    MITOSIS_DEADLINE_MS_MAX, text);
	return value;
}

/* Opens the runtime directory, which must belong to this user. */
static int open_dir(const char *path)
{
	struct stat st;
	int err = runtime_dir_ensure(path);
	int fd;

	if (err)
		die_of(-err, "%s cannot be used", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die_of(errno, "%s cannot be opened", path);
	if (st.st_uid != geteuid())
		die("%s belongs to another user", path);
	return fd;
}

/* The lock is held as long as this process lives. */
static int take_lock(int dir)
{
	int fd = openat(dir, RUNTIME_PID, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		die_of(errno, "%s cannot be opened", RUNTIME_PID);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		/* Another daemon runs, or is about to end: let the starter try again. */
		usleep(2000);
		exit(0);
	}
	return fd;
}

static void write_pid(int fd)
{
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", getpid()) < 0)
		die_of(errno, "%s cannot be written", RUNTIME_PID);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	runtime_dir_address(path, &address);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, SOMAXCONN))
		die_of(errno, "cannot listen at %s", address.sun_path);
	return fd;
}

/*
 * Forks into the background. The first process waits until the second one reports
 * that it is ready, through the pipe returned here. So the starter gets the error
 * message and exit status of anything that fails before.
 */
static int go_to_background(void)
{
	int ready[2];
	char byte;
	int status;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		die_of(errno, "cannot create a pipe");
	pid = fork();
	if (pid < 0)
		die_of(errno, "cannot fork");
	if (pid) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1)
			_exit(0);
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status)
			      ? WEXITSTATUS(status)
			      : 1);
	}
	close(ready[0]);
	setsid();
	return ready[1];
}

static int open_log(int dir)
{
	int log =
		openat(dir, RUNTIME_LOG,
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (log < 0)
		die_of(errno, "%s cannot be opened", RUNTIME_LOG);
	return log;
}

/* Redirects the output to the log, and reports that the daemon is ready. */
static void report_ready(int log, int ready)
{
	if (chdir("/"))
		die("cannot change to /: %s", strerror(errno));
	dup2(log, 1);
	dup2(log, 2);
	close(log);
	if (write(ready, "r", 1) != 1)
		die("the starter exited before the daemon was ready");
	close(ready);
}

static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int signal_fd(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void signalled(struct daemon *daemon, struct event_source *source)
{
	(void)source;
	daemon->loop.stop = true;
}

/*
 * Handles expired deadlines. Returns the ms until the next one, or -1. Stops the
 * loop when it has been idle long enough.
 */
static int due(struct daemon *daemon)
{
	int timeout_ms = peers_expire(daemon);
	int64_t left_ms;

	timeout_ms = sooner_ms(timeout_ms, snapshots_expire(daemon));
	timeout_ms = sooner_ms(timeout_ms, wire_expire(daemon));
	timeout_ms = sooner_ms(timeout_ms,
			       listener_expire(&daemon->loop, &daemon->local));
	timeout_ms =
		sooner_ms(timeout_ms, listener_expire(&daemon->loop, &daemon->wire));
	timeout_ms = sooner_ms(timeout_ms, orphan_expire(daemon));
	timeout_ms = sooner_ms(timeout_ms, watchdog_expire(daemon));
	peers_sweep(daemon);
	if (daemon->idle_ms < 0 || daemon->peers || snapshots_held(daemon) ||
	    daemon->wire_clients || daemon->sessions || daemon->orphans ||
	    daemon->watched)
		return timeout_ms;
	left_ms = daemon->loop.last_event_ms + daemon->idle_ms - monotonic_ms();
	if (left_ms > 0)
		return sooner_ms(timeout_ms, left_ms);
	daemon->loop.stop = true;
	return 0;
}

/*
 * Listens for other machines, and writes the address into `actual`. Refuses to
 * listen without a key where strangers could connect.
 */
static int listen_for_machines(struct daemon *daemon, const char *text,
			       const char *auth_problem,
			       char actual[LOCAL_ADDRESS_TEXT_SIZE])
{
	struct local_address address;
	int fd = local_address_parse(text, &address);

	if (fd || address.transport != LOCAL_TRANSPORT_TCP)
		die("--listen must be tcp://host:port, got '%s'", text);
	if (*auth_problem)
		die("%s", auth_problem);
	if (daemon->auth.protection == WIRE_PROTECTION_NONE &&
	    !auth_none_allowed(local_address_is_loopback(&address)))
		die("--protection none is for loopback addresses, got '%s'; give "
		    "--key-file, or --private-network if no stranger reaches it",
		    text);
	fd = wire_listen(&address);
	if (fd < 0)
		die("cannot listen at %s: %s", text, strerror(-fd));
	local_address_to_text(&address, actual);
	return fd;
}

/* What the command line asks for, or else the environment. */
struct request {
	int idle_ms;
	const char *listen; /* NULL or empty: for no other machine */
	bool foreground;
};

/* Leaves in the environment what is read from there. */
static void parse_arguments(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{ "runtime-dir", required_argument, NULL, 'r' },
		{ "idle-ms", required_argument, NULL, 'i' },
		{ "machine-id", required_argument, NULL, 'm' },
		{ "listen", required_argument, NULL, 'l' },
		{ "key-file", required_argument, NULL, 'k' },
		{ "protection", required_argument, NULL, 's' },
		{ "transport", required_argument, NULL, 't' },
		{ "private-network", no_argument, NULL, 'p' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char *const protections[] = { "sealed", "handshake", "none",
						   NULL };
	static const char *const transports[] = { "tcp", "auto", NULL };
	const char *idle = getenv("MITOSIS_IDLE_MS");
	int option;

	if (idle && *idle)
		request->idle_ms = parse_ms(idle, "MITOSIS_IDLE_MS");
	while ((option = next_option(argc, argv, options)) != -1) {
		switch (option) {
		case 'r':
			setenv("MITOSIS_RUNTIME_DIR", optarg, 1);
			break;
		case 'i':
			request->idle_ms = parse_number(optarg, "--idle-ms", 0,
							MITOSIS_DEADLINE_MS_MAX);
			break;
		case 'm':
			parse_number(optarg, "--machine-id", 0, INT32_MAX);
			setenv("MITOSIS_MACHINE_ID", optarg, 1);
			break;
		case 'l':
			request->listen = optarg;
			break;
		case 'k':
			setenv("MITOSIS_KEY_FILE", optarg, 1);
			break;
		case 's':
			parse_choice(optarg, "--protection", protections);
			setenv("MITOSIS_PROTECTION", optarg, 1);
			break;
		case 't':
			parse_choice(optarg, "--transport", transports);
			setenv("MITOSIS_TRANSPORT", optarg, 1);
			break;
		case 'p':
			setenv("MITOSIS_PRIVATE_NETWORK", "1", 1);
			break;
		case 'f':
			request->foreground = true;
			break;
		default:
			answer_and_exit(option, usage);
		}
	}
	refuse_arguments(argc, argv);
}

/* Also of the settings that pagers read again, which must not fail there. */
static void check_environment(struct daemon *daemon)
{
	struct child_limits limits;
	uint32_t replica_mib;
	enum replica_fill replica_fill;
	bool verify;
	char problem[128];

	if (runtime_trace_level() < 0)
		die("MITOSIS_TRACE must be between 0 and %d, got '%s'",
		    RUNTIME_TRACE_LEVEL_MAX, getenv("MITOSIS_TRACE"));
	if (child_limits_read(&limits, problem, sizeof(problem)) ||
	    replica_limit_read(&replica_mib, problem, sizeof(problem)) ||
	    replica_fill_read(&replica_fill, problem, sizeof(problem)) ||
	    verify_read(&verify, problem, sizeof(problem)) ||
	    pagers_limit_read(&daemon->pagers_max, problem, sizeof(problem)) ||
	    transport_check(problem, sizeof(problem)))
		die("%s", problem);
}

/* Reads the key, if there is one. `actual` gets the address for other machines. */
static void configure_machines(struct daemon *daemon, const char *listen_text,
			       char actual[LOCAL_ADDRESS_TEXT_SIZE])
{
	char auth_problem[256] = "";

	/* Without a key, mitosisd serves this machine only. */
	if (auth_configure(&daemon->auth, auth_problem, sizeof(auth_problem)) ==
	    -EINVAL)
		die("%s", auth_problem);
	if (listen_text && *listen_text)
		daemon->wire.fd = listen_for_machines(daemon, listen_text,
						      auth_problem, actual);
}

static void create_registry(struct daemon *daemon)
{
	daemon->registry_fd = registry_create(&daemon->registry);
	if (daemon->registry_fd < 0)
		die_of(-daemon->registry_fd, "cannot create the registry");
	daemon->registry->machine_id = daemon->auth.machine_id;
}

static void start_loop(struct daemon *daemon, int signals_fd)
{
	static struct event_source signals = { signalled };
	int err = loop_init(&daemon->loop);

	if (err)
		die_of(-err, "cannot create the event loop");
	err = loop_watch(&daemon->loop, signals_fd, &signals);
	if (!err)
		err = listener_start(&daemon->loop, &daemon->local);
	if (!err && daemon->wire.fd >= 0)
		err = listener_start(&daemon->loop, &daemon->wire);
	if (err)
		die("epoll: %s", strerror(-err));
}

int main(int argc, char **argv)
{
	struct request request = {
		.idle_ms = IDLE_MS_DEFAULT,
		.listen = getenv("MITOSIS_LISTEN"),
	};
	struct daemon daemon = {
		.local = { .fd = -1, .accepted = greeting_accept },
		.wire = { .fd = -1, .accepted = wire_accept },
		.pager_started = wire_replica_pager_started,
	};
	char path[RUNTIME_PATH_MAX];
	char actual[LOCAL_ADDRESS_TEXT_SIZE] = "no";
	struct sockaddr_un address;
	int dir, lock, signals_fd, err, log = -1, ready = -1;

	parse_arguments(&request, argc, argv);
	check_environment(&daemon);
	if (runtime_dir_path(path))
		die("the runtime directory must be an absolute path of at most %zu "
		    "characters, got '%s'",
		    RUNTIME_PATH_MAX - sizeof("/" RUNTIME_SOCKET), path);

	/* Close what the starter left open. */
	syscall(SYS_close_range, 3, ~0u, 0);
	umask(077);
	dir = open_dir(path);
	lock = take_lock(dir);
	raise_fd_limit();
	signals_fd = signal_fd();
	configure_machines(&daemon, request.listen, actual);
	create_registry(&daemon);
	signal(SIGCHLD, SIG_DFL);
	if (!request.foreground)
		ready = go_to_background();
	signal(SIGCHLD, SIG_IGN); /* pagers are reaped by the kernel */
	/* The socket comes last: if a file cannot be written, there is none. */
	write_pid(lock);
	if (!request.foreground)
		log = open_log(dir);
	count_load(dir, daemon.registry);
	daemon.page_counts = page_counts_create(dir);
	daemon.local.fd = listen_at(path);
	trace_open_by_environment(&daemon.trace, "mitosisd", 0);
	trace(&daemon.trace, TRACE_STEPS, "is ready",
	      TRACE_NUMBER("machine", daemon.auth.machine_id),
	      TRACE_TEXT("listens", actual));
	start_loop(&daemon, signals_fd);
	/* At this point the socket and the pid file exist: a reader may use them. */
	if (daemon.wire.fd >= 0) {
		printf("mitosisd: machine %u listens at %s\n",
		       daemon.auth.machine_id, actual);
		fflush(stdout);
	}
	if (ready >= 0)
		report_ready(log, ready);

	/* Other machines expect a listener: do not end when idle. */
	daemon.idle_ms = daemon.wire.fd >= 0 ? -1 : request.idle_ms;
	err = loop_run(&daemon.loop, &daemon, due);
	if (err)
		die("epoll_wait: %s", strerror(-err));

	count_save(dir, daemon.registry);
	/* Shadows end because their channels close with this process. */
	runtime_dir_address(path, &address);
	unlink(address.sun_path);
	/* The file stays: another daemon may be about to lock it. */
	return ftruncate(lock, 0) ? 1 : 0;
}
