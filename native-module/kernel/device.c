// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "opened.h"
#include "owner.h"
#include "parameters.h"
#include "proto/descriptor.h"
#include "remote.h"
#include "resume.h"
#include "session.h"
#include "snapshot.h"
#include "stats.h"
#include "token.h"

/* One open file. */
struct caller {
	struct mutex lock;   /* of the fields below */
	u64 prepared_key;    /* of this file's snapshot */
	u64 prepared_serial; /* its serial number; 0: none yet */
	bool options_set;
	struct mitosis_options options;
	struct grant grant; /* of the last valid token presented */
	bool has_remote_token;
	struct mitosis_remote_token remote_token;
};

static int lock_caller(struct caller *caller)
{
	return mutex_lock_killable(&caller->lock) ? -EINTR : 0;
}

/* A reference to this file's snapshot; NULL if it has none or it was dropped. */
static struct snapshot *prepared_by(const struct caller *caller)
{
	return mitosis_snapshot_find_serial(caller->prepared_key, caller->prepared_serial);
}

/* Takes `told` over. */
static int prepare(struct caller *caller, unsigned long handler_id, bool pinned,
		   struct descriptor_header *told)
{
	struct snapshot *before;
	u64 key, serial;
	int err = handler_id > U32_MAX ? -EINVAL : lock_caller(caller);

	if (err) {
		kvfree(told);
		return err;
	}
	before = prepared_by(caller);
	if (before) {
		err = -EBUSY;
		kvfree(told);
	} else {
		err = mitosis_snapshot_prepare(handler_id, pinned, told, &key, &serial);
	}
	mitosis_snapshot_put(before);
	if (!err) {
		caller->prepared_key = key;
		caller->prepared_serial = serial;
	}
	mutex_unlock(&caller->lock);
	if (!err)
		mitosis_count(prepares);
	else if (err != -ERESTARTNOINTR)
		mitosis_count(prepare_failures);
	return err;
}

static int prepare_described(struct caller *caller, unsigned long argument)
{
	struct mitosis_described request;
	struct descriptor_header *told;

	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	if (request.flags & ~MITOSIS_SNAPSHOT_PINNED)
		return -EINVAL;
	told = mitosis_describe_read(u64_to_user_ptr(request.description), request.size);
	if (IS_ERR(told))
		return PTR_ERR(told);
	return prepare(caller, request.handler_id, request.flags & MITOSIS_SNAPSHOT_PINNED, told);
}

static u64 own_key(u32 handler_id)
{
	return mitosis_snapshot_key(current_euid(), handler_id);
}

static struct grant grant_of(struct caller *caller)
{
	struct grant grant;

	mutex_lock(&caller->lock);
	grant = caller->grant;
	mutex_unlock(&caller->lock);
	return grant;
}

/* The remote snapshot that is asked for, with the token that was presented for it. */
static struct remote_name name_of(struct caller *caller, const struct mitosis_remote_req *request)
{
	struct remote_name name = {
		.machine_id = request->machine_id,
		.handler_id = request->handler_id,
		.owner_uid = from_kuid(&init_user_ns, current_euid()),
	};

	mutex_lock(&caller->lock);
	name.by_token = caller->has_remote_token &&
			caller->remote_token.machine_id == name.machine_id &&
			caller->remote_token.token.handler_id == name.handler_id;
	if (name.by_token)
		name.token = caller->remote_token.token;
	mutex_unlock(&caller->lock);
	return name;
}

static struct mitosis_options options_of(struct caller *caller)
{
	struct mitosis_options options;

	mutex_lock(&caller->lock);
	options = caller->options_set ? caller->options : mitosis_options_default();
	mutex_unlock(&caller->lock);
	return options;
}

/* The log names both users, which the errno cannot. */
static int refuse(const struct origin *origin, kuid_t owner)
{
	pr_notice_ratelimited("%s[%d] of user %u may not become snapshot %u of machine %u, which "
			      "is user %u's: it "
			      "needs all ids and capabilities of its owner, or a token\n",
			      current->comm, task_pid_nr(current),
			      from_kuid(&init_user_ns, current_euid()), origin->handler_id,
			      origin->machine_id, from_kuid(&init_user_ns, owner));
	return -EPERM;
}

/*
 * Finds what the handler id means: the snapshot of the token that was presented on
 * this file, which becomes its grant, or the caller's own. Returns 0 or -errno as
 * MITOSIS_RESUME_LOCAL.
 */
static int find_origin(struct caller *caller, struct origin *origin)
{
	const struct grant grant = grant_of(caller);
	struct snapshot *s = NULL;
	int err = -ENOENT;

	if ((u32)grant.key == origin->handler_id)
		s = mitosis_snapshot_find_serial(grant.key, grant.serial);
	if (s)
		err = mitosis_grant_check(s, &grant);
	if (!err)
		origin->grant = grant;
	if (err) {
		mitosis_snapshot_put(s);
		s = mitosis_snapshot_find(own_key(origin->handler_id));
		if (s && mitosis_owner_lets_become(&s->parent.owner))
			err = 0;
		else if (s && err == -ENOENT)
			err = refuse(origin, s->parent.owner.cred->euid);
	}
	if (err)
		mitosis_snapshot_put(s);
	else
		origin->snapshot = s;
	return err;
}

/* With its descriptor. */
static int get_local(struct caller *caller, u32 handler_id, struct origin *origin)
{
	int err;

	*origin = (struct origin){ .machine_id = mitosis_machine_id, .handler_id = handler_id };
	err = find_origin(caller, origin);
	if (err)
		return err;
	err = mitosis_snapshot_make_ready(origin->snapshot);
	if (err)
		mitosis_origin_put(origin);
	return err;
}

static int get_remote(struct caller *caller, unsigned long argument,
		      const struct mitosis_options *options, struct origin *origin)
{
	struct mitosis_remote_req request;
	const struct descriptor_header *d;
	struct remote_name name;
	int err;

	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	*origin = (struct origin){ .machine_id = request.machine_id,
				   .handler_id = request.handler_id };
	name = name_of(caller, &request);
	err = mitosis_remote_open(&name, options, &origin->remote);
	if (err)
		return err;
	d = mitosis_origin_descriptor(origin);
	if (!name.by_token && !mitosis_owner_lets_become_remote(d)) {
		err = refuse(origin, make_kuid(&init_user_ns, d->owner_uid));
		mitosis_origin_put(origin);
	}
	return err;
}

static int resume_local(struct caller *caller, unsigned long handler_id)
{
	struct mitosis_options options = options_of(caller);
	struct origin origin;
	int err = handler_id > U32_MAX ? -EINVAL : get_local(caller, handler_id, &origin);

	return err ?: mitosis_resume(&origin, &options, NULL);
}

static int resume_remote(struct caller *caller, unsigned long argument)
{
	struct mitosis_options options = options_of(caller);
	struct origin origin;
	int err = get_remote(caller, argument, &options, &origin);

	return err ?: mitosis_resume(&origin, &options, NULL);
}

static int open_local(struct caller *caller, unsigned long argument)
{
	struct mitosis_options options = options_of(caller);
	struct origin origin;
	u32 handler_id;
	int err;

	if (get_user(handler_id, (u32 __user *)argument))
		return -EFAULT;
	err = get_local(caller, handler_id, &origin);
	return err ?: mitosis_opened_create(&origin, &options);
}

static int open_remote(struct caller *caller, unsigned long argument)
{
	struct mitosis_options options = options_of(caller);
	struct origin origin;
	int err = get_remote(caller, argument, &options, &origin);

	return err ?: mitosis_opened_create(&origin, &options);
}

static int drop(struct snapshot *s)
{
	int err = mitosis_owner_lets_manage(&s->parent.owner) ? 0 : -EPERM;

	if (!err)
		mitosis_snapshot_drop(s);
	return err;
}

static int unprepare(unsigned long argument)
{
	struct snapshot *s;
	u32 handler_id;
	int err;

	if (get_user(handler_id, (u32 __user *)argument))
		return -EFAULT;
	s = mitosis_snapshot_find(own_key(handler_id));
	err = s ? drop(s) : -ENOENT;
	mitosis_snapshot_put(s);
	return err;
}

static int unprepare_of(unsigned long argument)
{
	struct mitosis_snapshot_of of;
	struct snapshot *s;
	kuid_t user;
	int err;

	if (copy_from_user(&of, (void __user *)argument, sizeof(of)))
		return -EFAULT;
	user = make_kuid(current_user_ns(), of.owner_uid);
	s = uid_valid(user) ? mitosis_snapshot_find(mitosis_snapshot_key(user, of.handler_id))
			    : NULL;
	err = s ? drop(s) : -ENOENT;
	mitosis_snapshot_put(s);
	return err;
}

/* Returns how many it dropped. */
static int unprepare_all(unsigned long argument)
{
	u64 key = 0, last = U64_MAX;
	struct snapshot *s;
	int dropped = 0;
	kuid_t user;
	u32 uid;

	if (get_user(uid, (u32 __user *)argument))
		return -EFAULT;
	user = make_kuid(current_user_ns(), uid);
	if (uid != MITOSIS_ALL_USERS) {
		if (!uid_valid(user))
			return -EINVAL;
		key = mitosis_snapshot_key(user, 0);
		last = mitosis_snapshot_key(user, U32_MAX);
	}
	if (!capable(CAP_SYS_PTRACE) && (uid == MITOSIS_ALL_USERS || !uid_eq(user, current_euid())))
		return -EPERM;
	while ((s = mitosis_snapshot_next(&key))) {
		bool beyond = key > last;

		if (!beyond && !drop(s))
			dropped++;
		mitosis_snapshot_put(s);
		if (beyond || fatal_signal_pending(current))
			break;
		key++;
	}
	return dropped;
}

/* The caller's own. */
static int next(unsigned long argument)
{
	struct mitosis_snapshot info;
	struct snapshot *s;
	u64 key;

	if (copy_from_user(&info, (void __user *)argument, sizeof(info)))
		return -EFAULT;
	key = own_key(info.handler_id);
	s = mitosis_snapshot_next(&key);
	if (!s)
		return -ENOENT;
	info = mitosis_snapshot_info(s);
	mitosis_snapshot_put(s);
	if (key != own_key(info.handler_id))
		return -ENOENT;
	return copy_to_user((void __user *)argument, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Those of all users. */
static int next_of(unsigned long argument)
{
	struct mitosis_owned_snapshot info;
	struct snapshot *s;
	u64 key;

	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	if (copy_from_user(&info, (void __user *)argument, sizeof(info)))
		return -EFAULT;
	key = (u64)info.owner_uid << 32 | info.snapshot.handler_id;
	s = mitosis_snapshot_next(&key);
	if (!s)
		return -ENOENT;
	info = (struct mitosis_owned_snapshot){
		.owner_uid = key >> 32,
		.snapshot = mitosis_snapshot_info(s),
	};
	mitosis_snapshot_put(s);
	return copy_to_user((void __user *)argument, &info, sizeof(info)) ? -EFAULT : 0;
}

static int set_options(struct caller *caller, unsigned long argument, size_t size)
{
	struct mitosis_options options;
	int err = copy_struct_from_user(&options, sizeof(options), (void __user *)argument, size);

	if (!err)
		err = mitosis_options_check(&options);
	if (!err)
		err = lock_caller(caller);
	if (err)
		return err;
	caller->options = options;
	caller->options_set = true;
	mutex_unlock(&caller->lock);
	return 0;
}

static int get_stat(unsigned long argument, size_t size)
{
	struct mitosis_stat stat = mitosis_stat();
	void __user *to = (void __user *)argument;
	size_t known = min(size, sizeof(stat));

	return copy_to_user(to, &stat, known) || clear_user(to + known, size - known) ? -EFAULT : 0;
}

/*
 * Those that may become it, and the owner through the file that prepared it, which
 * is the only way if the snapshot is undumpable and the owner has no CAP_SYS_PTRACE.
 */
static bool may_give_token(struct caller *caller, const struct snapshot *s)
{
	bool prepared;

	mutex_lock(&caller->lock);
	prepared = caller->prepared_serial == s->serial;
	mutex_unlock(&caller->lock);
	return mitosis_owner_lets_become(&s->parent.owner) ||
	       (prepared && uid_eq(s->parent.owner.cred->euid, current_euid()));
}

static int get_token(struct caller *caller, unsigned long argument)
{
	struct mitosis_token token;
	struct snapshot *s;
	int err;

	if (copy_from_user(&token, (void __user *)argument, sizeof(token)))
		return -EFAULT;
	s = mitosis_snapshot_find(own_key(token.handler_id));
	if (!s)
		return -ENOENT;
	err = may_give_token(caller, s) ? mitosis_token_make(s, &token) : -EPERM;
	mitosis_snapshot_put(s);
	if (!err && copy_to_user((void __user *)argument, &token, sizeof(token)))
		err = -EFAULT;
	memzero_explicit(&token, sizeof(token));
	return err;
}

static int present_token(struct caller *caller, unsigned long argument)
{
	struct mitosis_token token;
	struct grant grant;
	struct snapshot *s;
	int err;

	if (copy_from_user(&token, (void __user *)argument, sizeof(token)))
		return -EFAULT;
	err = mitosis_token_find(&token, &s, &grant);
	memzero_explicit(&token, sizeof(token));
	if (err)
		return err;
	mitosis_snapshot_put(s);
	err = lock_caller(caller);
	if (err)
		return err;
	caller->grant = grant;
	mutex_unlock(&caller->lock);
	return 0;
}

static int present_remote_token(struct caller *caller, unsigned long argument)
{
	struct mitosis_remote_token token;
	int err;

	if (copy_from_user(&token, (void __user *)argument, sizeof(token)))
		return -EFAULT;
	err = lock_caller(caller);
	if (!err) {
		caller->remote_token = token;
		caller->has_remote_token = true;
		mutex_unlock(&caller->lock);
	}
	memzero_explicit(&token, sizeof(token));
	return err;
}

static int revoke_tokens(unsigned long argument)
{
	struct snapshot *s;
	u32 handler_id;
	int err = 0;

	if (get_user(handler_id, (u32 __user *)argument))
		return -EFAULT;
	s = mitosis_snapshot_find(own_key(handler_id));
	if (!s)
		return -ENOENT;
	if (mitosis_owner_lets_manage(&s->parent.owner))
		mitosis_tokens_revoke(s);
	else
		err = -EPERM;
	mitosis_snapshot_put(s);
	return err;
}

static bool is_command(unsigned int command, unsigned int known)
{
	return _IOC_TYPE(command) == _IOC_TYPE(known) && _IOC_NR(command) == _IOC_NR(known) &&
	       _IOC_DIR(command) == _IOC_DIR(known);
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct caller *caller = file->private_data;

	switch (command) {
	case MITOSIS_NIL:
		return 0;
	case MITOSIS_CONNECT:
		return mitosis_session_connect_request(argument);
	case MITOSIS_PREPARE:
		return prepare(caller, argument, false, NULL);
	case MITOSIS_PREPARE_PINNED:
		return prepare(caller, argument, true, NULL);
	case MITOSIS_IOC_PREPARE_DESCRIBED:
		return prepare_described(caller, argument);
	case MITOSIS_IOC_OPEN_LOCAL:
		return open_local(caller, argument);
	case MITOSIS_IOC_OPEN_REMOTE:
		return open_remote(caller, argument);
	case MITOSIS_RESUME_LOCAL:
		return resume_local(caller, argument);
	case MITOSIS_RESUME_REMOTE:
		return resume_remote(caller, argument);
	case MITOSIS_NIL_RPC:
		return mitosis_session_nil_request(argument);
	case MITOSIS_IOC_UNPREPARE:
		return unprepare(argument);
	case MITOSIS_IOC_NEXT:
		return next(argument);
	case MITOSIS_IOC_TOKEN:
		return get_token(caller, argument);
	case MITOSIS_IOC_PRESENT:
		return present_token(caller, argument);
	case MITOSIS_IOC_PRESENT_REMOTE:
		return present_remote_token(caller, argument);
	case MITOSIS_IOC_UNPREPARE_OF:
		return unprepare_of(argument);
	case MITOSIS_IOC_UNPREPARE_ALL:
		return unprepare_all(argument);
	case MITOSIS_IOC_NEXT_OF:
		return next_of(argument);
	case MITOSIS_IOC_REVOKE:
		return revoke_tokens(argument);
	}
	/* Structs that may grow: the command holds the size of the caller's. */
	if (is_command(command, MITOSIS_IOC_SET_OPTIONS))
		return set_options(caller, argument, _IOC_SIZE(command));
	if (is_command(command, MITOSIS_IOC_STAT))
		return get_stat(argument, _IOC_SIZE(command));
	return -ENOTTY;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct caller *caller = kzalloc(sizeof(*caller), GFP_KERNEL_ACCOUNT);

	if (!caller)
		return -ENOMEM;
	mutex_init(&caller->lock);
	file->private_data = caller;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct caller *caller = file->private_data;
	struct snapshot *prepared = prepared_by(caller);

	if (prepared && !prepared->pinned)
		mitosis_snapshot_drop(prepared);
	mitosis_snapshot_put(prepared);
	kfree_sensitive(caller);
	return 0;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

/* A rule of udev opens it to others: a mode that such a rule narrows would be open until then. */
static struct miscdevice misc_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mitosis-syscalls",
	.fops = &device_operations,
	.mode = 0600,
};

int mitosis_device_init(void)
{
	return misc_register(&misc_device);
}

void mitosis_device_exit(void)
{
	misc_deregister(&misc_device);
}
