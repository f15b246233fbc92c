#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/dsse.h"

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot hold an envelope");
}

/* Whose signature this is, is told by the signature alone: a key id could be anybody's text. */
static struct jail_signature *find_signature(struct jail_envelope *envelope,
					     const struct jail_public_key *key, const struct jail_buffer *pae)
{
	for (size_t i = 0; i < envelope->n_signatures; i++) {
		struct jail_signature *signature = &envelope->signatures[i];

		if (jail_verify(key, pae->data, pae->len, signature->bytes, signature->len) == 1)
			return signature;
	}
	return NULL;
}

static int add_signature(struct jail_envelope *envelope, struct jail_signature **ret, struct jail_error *err)
{
	struct jail_signature *list;

	if (envelope->n_signatures >= JAIL_ENVELOPE_SIGNATURES_MAX)
		return jail_error_set(err, E2BIG, "an envelope holds no more than %d signatures",
				      JAIL_ENVELOPE_SIGNATURES_MAX);
	list = reallocarray(envelope->signatures, envelope->n_signatures + 1, sizeof *list);
	if (!list)
		return no_memory(err);
	envelope->signatures = list;
	*ret = &list[envelope->n_signatures++];
	**ret = (struct jail_signature){0};
	return 0;
}

int jail_envelope_sign(struct jail_envelope *envelope, const struct jail_private_key *key,
		       struct jail_error *err)
{
	jail_autobuffer struct jail_buffer pae = JAIL_BUFFER_INIT;
	jail_autofree uint8_t *bytes = malloc(JAIL_SIGNATURE_SIZE);
	jail_autofree char *keyid = NULL;
	struct jail_public_key public;
	struct jail_signature *slot;
	int r = jail_private_key_public(key, &public, err);

	if (r < 0)
		return r;
	keyid = strdup(public.keyid);
	if (!bytes || !keyid ||
	    jail_envelope_pae(envelope->type, envelope->payload.data, envelope->payload.len, &pae) < 0)
		return no_memory(err);
	r = jail_sign(key, pae.data, pae.len, bytes, err);
	if (r < 0)
		return r;
	slot = find_signature(envelope, &public, &pae);
	if (!slot) {
		r = add_signature(envelope, &slot, err);
		if (r < 0)
			return r;
	}
	free(slot->keyid);
	free(slot->bytes);
	slot->keyid = JAIL_STEAL_PTR(keyid);
	slot->bytes = JAIL_STEAL_PTR(bytes);
	slot->len = JAIL_SIGNATURE_SIZE;
	return 0;
}
