#include "agent/audit_people.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/policy/account.h"

/* As last resolved, for a user whom the name service does not tell now. */
static int find_known(const struct jail_cache *cache, uid_t uid, struct jail_cache_member *ret,
		      ssize_t *ret_jail, struct jail_error *err)
{
	for (size_t i = 0; i < jail_cache_n_members(cache); i++) {
		int r = jail_cache_member(cache, i, ret, ret_jail, err);

		if (r < 0)
			return r;
		if (ret->uid == uid)
			return 1;
	}
	return 0;
}

/* 1 the user is in break-glass. A group file that can't be read confines everybody. */
static int breaks_glass(const struct jail_people *people, const struct jail_account *account)
{
	return jail_breakglass_member("/etc/group", people->breakglass, account->user, account->gid, NULL) ==
	       1;
}

static int fill(struct jail_people *people, size_t jail, const struct jail_member *member,
		struct jail_person *person, struct jail_error *err)
{
	struct jail_cache_jail record;
	struct jail_error error = {0};
	int r = jail_cache_jail(people->cache, jail, &record, err);

	if (r == 0)
		r = jail_audit_view_find(people->cache, jail, member, &person->view, &error);
	if (r < 0)
		return r;
	person->confined = true;
	person->jail = record.name;
	person->user = strdup(member->user);
	if (person->user && !person->view.is_there)
		r = jail_audit_warn(people->audit,
				    "the view of %s in jail %s is not there: %s; run jail-agent --sync",
				    member->user, record.name, error.message);
	return person->user && r == 0 ? 0 : jail_error_sys(err, ENOMEM, "cannot tell who is confined");
}

/* By what the name service says now. 1 done, 0 it does not know them. */
static int decide(struct jail_people *people, struct jail_person *person, struct jail_error *err)
{
	const struct passwd *pw = getpwuid(person->uid);
	jail_autofree char *name = pw ? strdup(pw->pw_name) : NULL;
	jail_autoaccount struct jail_account account = {0};
	struct jail_identity identity;
	struct jail_verdict verdict;
	int r;

	if (!name || jail_account_get(name, &account, NULL) < 0 ||
	    jail_account_groups(&account, false, NULL) < 0)
		return 0;
	if (breaks_glass(people, &account))
		return 1;
	jail_account_identity(&account, &identity);
	r = jail_cache_lookup(people->cache, &identity, &verdict, err);
	if (r == 0 && verdict.matched && verdict.jail != JAIL_EXEMPT) {
		const struct jail_member member = {account.user, account.group, account.home, account.uid};

		r = fill(people, (size_t)verdict.jail, &member, person, err);
	}
	return r < 0 ? r : 1;
}

static int learn(struct jail_people *people, struct jail_person *person, struct jail_error *err)
{
	struct jail_cache_member known;
	ssize_t jail;
	int r;

	if (person->uid == 0)
		return 0;
	r = decide(people, person, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = find_known(people->cache, person->uid, &known, &jail, err);
	if (r == 1 && jail != JAIL_EXEMPT) {
		const struct jail_member member = {known.user, known.group, known.home, known.uid};

		r = fill(people, (size_t)jail, &member, person, err);
	}
	return r < 0 ? r : 0;
}

static size_t slot_of(const struct jail_people *people, uid_t uid)
{
	size_t i = (size_t)uid * 2654435761U & (people->n_slots - 1);

	while (people->table[i] && people->table[i]->uid != uid)
		i = (i + 1) & (people->n_slots - 1);
	return i;
}

static int make_room(struct jail_people *people)
{
	struct jail_people old = *people;

	if (people->n * 2 < people->n_slots)
		return 0;
	people->n_slots = old.n_slots ? old.n_slots * 2 : 64;
	people->table = calloc(people->n_slots, sizeof(struct jail_person *));
	if (!people->table) {
		*people = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.table[i])
			people->table[slot_of(people, old.table[i]->uid)] = old.table[i];
	free(old.table);
	return 0;
}

static void person_free(struct jail_person *person)
{
	if (person)
		free(person->user);
	free(person);
}

int jail_people_find(struct jail_people *people, uid_t uid, const struct jail_person **ret,
		     struct jail_error *err)
{
	struct jail_person *person;
	size_t slot;
	int r;

	if (make_room(people) < 0)
		return jail_error_sys(err, ENOMEM, "cannot tell who is confined");
	slot = slot_of(people, uid);
	if (people->table[slot]) {
		*ret = people->table[slot];
		return 0;
	}
	person = calloc(1, sizeof *person);
	if (!person)
		return jail_error_sys(err, ENOMEM, "cannot tell who is confined");
	person->uid = uid;
	r = learn(people, person, err);
	if (r < 0) {
		person_free(person);
		return r;
	}
	people->table[slot] = person;
	people->n++;
	*ret = person;
	return 0;
}

int jail_people_is_named(const struct jail_cache *cache, const char *user, struct jail_error *err)
{
	jail_autoaccount struct jail_account account = {0};
	struct jail_identity identity;
	struct jail_verdict verdict;
	size_t i;
	int r;

	if (jail_account_get(user, &account, NULL) < 0 || jail_account_groups(&account, false, NULL) < 0) {
		r = jail_cache_member_find(cache, user, &i, err);
		return r == -ENOENT ? 0 : r < 0 ? r : 1;
	}
	if (account.uid == 0)
		return 0;
	jail_account_identity(&account, &identity);
	r = jail_cache_lookup(cache, &identity, &verdict, err);
	return r < 0 ? r : verdict.matched && verdict.jail != JAIL_EXEMPT;
}

void jail_people_release(struct jail_people *people)
{
	for (size_t i = 0; i < people->n_slots; i++)
		person_free(people->table[i]);
	free(people->table);
	people->table = NULL;
	people->n = people->n_slots = 0;
}
