#include "agent/pam_walk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include "lib/base/array.h"

enum { STATES_MAX = 1 << 12 };

/* libpam's impression and status, as far as success depends on them. */
enum impression { UNDECIDED, SUCCESS, OTHER, NEGATIVE };

/* Where one way through the stack stands. */
struct state {
	size_t at;	/* the next step */
	uint32_t saved; /* impressions at the begin of each level, two bits each */
	enum impression impression;
	bool jailed, refused;	     /* by pam_jail.so */
	enum jail_pam_outcome blame; /* what made it miss pam_jail.so; CLOSED: nothing yet */
	size_t blamed;
};

struct walk {
	const struct jail_pam_stack *stack;
	struct state *states;
	size_t n;
	bool too_many;
};

static bool is_same(const struct state *a, const struct state *b)
{
	return a->at == b->at && a->saved == b->saved && a->impression == b->impression &&
	       a->jailed == b->jailed;
}

static int push(struct walk *walk, const struct state *state)
{
	struct state *slot;

	for (size_t i = walk->n; i-- > 0;)
		if (is_same(&walk->states[i], state))
			return 0;
	if (walk->n >= STATES_MAX) {
		walk->too_many = true;
		return 0;
	}
	slot = JAIL_ARRAY_PUSH(walk->states, walk->n);
	if (!slot)
		return -ENOMEM;
	*slot = *state;
	walk->n++;
	return 0;
}

static void blame(struct state *state, enum jail_pam_outcome outcome, size_t step)
{
	if (state->blame == JAIL_PAM_CLOSED) {
		state->blame = outcome;
		state->blamed = step;
	}
}

/* Goes on to step to, and blames the present one for every pam_jail.so in between. */
static void skip_to(const struct walk *walk, struct state *state, size_t to, enum jail_pam_outcome outcome)
{
	for (size_t i = state->at + 1; i < to && !state->jailed; i++)
		if (walk->stack->steps[i].kind == JAIL_PAM_JAIL)
			blame(state, outcome, state->at);
	state->at = to;
}

/* The first step behind the present one on a lower level: a decision holds for its substack only. */
static void decide(const struct walk *walk, struct state *state)
{
	unsigned level = walk->stack->steps[state->at].level;
	size_t to = state->at + 1;

	while (to < walk->stack->n && walk->stack->steps[to].level >= level)
		to++;
	skip_to(walk, state, to, JAIL_PAM_ENDED);
}

/* A substack counts as one module. A jump that leads out of the stack makes it fail. */
static void jump(const struct walk *walk, struct state *state, int modules)
{
	const struct jail_pam_step *steps = walk->stack->steps;
	unsigned level = steps[state->at].level;
	size_t to = state->at + 1;

	for (; modules > 0 && to < walk->stack->n && steps[to].level >= level; modules--) {
		to++;
		while (to < walk->stack->n && steps[to].level > level)
			to++;
	}
	if (modules > 0)
		state->impression = NEGATIVE;
	skip_to(walk, state, to, JAIL_PAM_JUMPED);
}

static void reset(struct state *state, unsigned level)
{
	enum impression before = (state->saved >> (2 * level)) & 3;

	if (state->refused && before != NEGATIVE)
		blame(state, JAIL_PAM_RESET, state->at);
	state->impression = before;
}

/* What libpam's _pam_dispatch_aux does with one answer. */
static void act(const struct walk *walk, struct state *state, int answer)
{
	const struct jail_pam_step *step = &walk->stack->steps[state->at];
	int action = step->actions[answer];

	switch (action) {
	case JAIL_PAM_DO_OK:
	case JAIL_PAM_DO_DONE:
		if (state->impression == UNDECIDED || state->impression == SUCCESS)
			state->impression = answer == JAIL_PAM_SUCCESS ? SUCCESS : OTHER;
		if (action == JAIL_PAM_DO_DONE && state->impression != NEGATIVE) {
			decide(walk, state);
			return;
		}
		break;
	case JAIL_PAM_DO_BAD:
	case JAIL_PAM_DO_DIE:
		state->impression = NEGATIVE;
		if (action == JAIL_PAM_DO_DIE) {
			decide(walk, state);
			return;
		}
		break;
	case JAIL_PAM_DO_RESET:
		reset(state, step->level);
		break;
	case JAIL_PAM_DO_IGNORE:
		break;
	default:
		jump(walk, state, action);
		return;
	}
	state->at++;
}

static bool may_answer(const struct jail_pam_step *step, int answer)
{
	switch (step->kind) {
	case JAIL_PAM_JAIL:
		return answer == JAIL_PAM_SUCCESS || answer == JAIL_PAM_SYSTEM_ERR ||
		       answer == JAIL_PAM_BUF_ERR || answer == JAIL_PAM_PERM_DENIED ||
		       answer == JAIL_PAM_SESSION_ERR || answer == JAIL_PAM_ABORT ||
		       answer == JAIL_PAM_MODULE_UNKNOWN;
	case JAIL_PAM_PERMIT:
		return answer == JAIL_PAM_SUCCESS;
	case JAIL_PAM_DENY:
		return answer == JAIL_PAM_SESSION_ERR;
	case JAIL_PAM_ROOT:
		return answer == JAIL_PAM_AUTH_ERR || answer == JAIL_PAM_SERVICE_ERR ||
		       answer == JAIL_PAM_USER_UNKNOWN || answer == JAIL_PAM_MODULE_UNKNOWN;
	case JAIL_PAM_FAILS:
		return answer == JAIL_PAM_PERM_DENIED;
	case JAIL_PAM_SUBSTACK:
	case JAIL_PAM_ANY:
		break;
	}
	return answer != JAIL_PAM_INCOMPLETE;
}

static void ask_jail(const struct jail_pam_step *step, int answer, struct state *state)
{
	int action = step->actions[answer];

	if (answer == JAIL_PAM_SUCCESS)
		state->jailed = true;
	else if (action == JAIL_PAM_DO_BAD || action == JAIL_PAM_DO_DIE)
		state->refused = true;
	else
		blame(state, JAIL_PAM_PASSED, state->at);
}

/* Every way on from one state. */
static int take_step(struct walk *walk, const struct state *from)
{
	const struct jail_pam_step *step = &walk->stack->steps[from->at];
	int r = 0;

	if (step->kind == JAIL_PAM_SUBSTACK) {
		struct state state = *from;
		unsigned shift = 2 * (step->level + 1);

		state.saved = (state.saved & ~(3U << shift)) | ((uint32_t)state.impression << shift);
		state.at++;
		return push(walk, &state);
	}
	for (int answer = 0; r == 0 && answer < JAIL_PAM_ANSWERS; answer++) {
		struct state state = *from;

		if (!may_answer(step, answer))
			continue;
		if (step->kind == JAIL_PAM_JAIL)
			ask_jail(step, answer, &state);
		act(walk, &state, answer);
		r = push(walk, &state);
	}
	return r;
}

/* Where pam_jail.so should have been: a shared stack that the service includes, or its own file. */
static size_t last_place(const struct jail_pam_stack *stack)
{
	for (size_t i = stack->n; i-- > 0;)
		if (stack->steps[i].included)
			return i;
	return stack->n - 1;
}

static bool has_jail(const struct jail_pam_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++)
		if (stack->steps[i].kind == JAIL_PAM_JAIL)
			return true;
	return false;
}

int jail_pam_walk(const struct jail_pam_stack *stack, enum jail_pam_outcome *ret_outcome, size_t *ret_step)
{
	struct walk walk = {.stack = stack};
	const struct state start = {0};
	const bool lacking = !has_jail(stack);
	int r = push(&walk, &start);

	*ret_outcome = JAIL_PAM_CLOSED;
	*ret_step = 0;
	/* Ways only lead on, so the list ends. */
	for (size_t i = 0; r == 0 && i < walk.n; i++) {
		struct state state = walk.states[i];

		if (state.at < stack->n)
			r = take_step(&walk, &state);
		else if (state.impression == SUCCESS && !state.jailed && *ret_outcome == JAIL_PAM_CLOSED) {
			/* A way in for which nothing is to blame is a way in all the same. */
			*ret_outcome = lacking	     ? JAIL_PAM_LACKING
				       : state.blame ? state.blame
						     : JAIL_PAM_TOO_MANY;
			*ret_step = lacking ? last_place(stack) : state.blamed;
		}
	}
	free(walk.states);
	if (stack->n == 0)
		*ret_outcome = JAIL_PAM_EMPTY;
	else if (walk.too_many && *ret_outcome == JAIL_PAM_CLOSED)
		*ret_outcome = JAIL_PAM_TOO_MANY;
	if (stack->refused)
		*ret_outcome = JAIL_PAM_CLOSED;
	return r;
}
