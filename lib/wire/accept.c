#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/policy_json.h"
#include "lib/wire/trust.h"

int jail_envelope_signers(const struct jail_envelope *envelope, const struct jail_trust *trust,
			  bool *ret_good, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer pae = JAIL_BUFFER_INIT;
	bool good[JAIL_TRUST_KEYS_MAX] = {false};
	int n = 0;

	if (trust->n_keys > JAIL_TRUST_KEYS_MAX)
		return jail_error_set(err, EINVAL, "a trust file holds no more than %d keys",
				      JAIL_TRUST_KEYS_MAX);
	if (jail_envelope_pae(envelope->type, envelope->payload.data, envelope->payload.len, &pae) < 0)
		return jail_error_sys(err, ENOMEM, "cannot check an envelope's signatures");
	/* By keys, not by signatures: so one key counts once however often, and under whatever id, it signed.
	 */
	for (size_t i = 0; i < trust->n_keys; i++) {
		for (size_t j = 0; j < envelope->n_signatures && !good[i]; j++) {
			const struct jail_signature *signature = &envelope->signatures[j];
			int r = jail_verify(&trust->keys[i], pae.data, pae.len, signature->bytes,
					    signature->len);

			if (r < 0)
				return jail_error_sys(err, -r, "cannot check an envelope's signatures");
			good[i] = r == 1;
		}
		n += good[i];
	}
	memcpy(ret_good, good, trust->n_keys * sizeof good[0]);
	return n;
}

static int check_signatures(const struct jail_envelope *envelope, const struct jail_trust *trust,
			    struct jail_error *err)
{
	bool good[JAIL_TRUST_KEYS_MAX];
	int n = jail_envelope_signers(envelope, trust, good, err);

	if (n < 0)
		return n;
	if (trust->threshold >= 1 && (unsigned)n >= trust->threshold)
		return 0;
	return jail_error_set(
		err, EBADMSG,
		"not enough good signatures: %d of the %zu trusted keys signed these bytes, %u must "
		"(the envelope carries %zu signature%s): it was changed after signing, or signed with "
		"other keys",
		n, trust->n_keys, trust->threshold, envelope->n_signatures,
		envelope->n_signatures == 1 ? "" : "s");
}

static int check_cluster(const char *cluster, const struct jail_trust *trust, struct jail_error *err)
{
	if (strcmp(cluster, trust->cluster) == 0)
		return 0;
	return jail_error_set(err, EXDEV, "the policy is for cluster \"%.100s\", this trust file for \"%s\"",
			      cluster, trust->cluster);
}

static int check_version(uint64_t version, const uint8_t sha256[32], const struct jail_floor *floor,
			 struct jail_error *err)
{
	if (!floor || floor->version == 0 || version > floor->version)
		return 0;
	if (version < floor->version)
		return jail_error_set(err, ESTALE,
				      "the policy's version %" PRIu64 " is older than %" PRIu64
				      ", which was accepted before: sign it anew with a higher version",
				      version, floor->version);
	if (memcmp(sha256, floor->sha256, 32) == 0)
		return 0;
	return jail_error_set(err, EEXIST,
			      "version %" PRIu64
			      " was accepted before with other content: a change needs a higher "
			      "version",
			      version);
}

static void delete_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* For a payload that lint refused: cluster and version, where they can be told, come first all the same. */
static int check_unreadable(const struct jail_envelope *envelope, const struct jail_trust *trust,
			    const uint8_t sha256[32], const struct jail_floor *floor, struct jail_error *err)
{
	const char *text = envelope->payload.data;
	size_t len = envelope->payload.len;
	__attribute__((cleanup(delete_json))) cJSON *json = NULL;
	const cJSON *cluster, *version;
	int r;

	if (jail_json_scan(text, len, &JAIL_JSON_LIMITS_POLICY, NULL) < 0)
		return 0;
	json = cJSON_ParseWithLength(text, len);
	cluster = cJSON_GetObjectItemCaseSensitive(json, "cluster");
	version = cJSON_GetObjectItemCaseSensitive(json, "version");
	if (cJSON_IsString(cluster)) {
		r = check_cluster(cluster->valuestring, trust, err);
		if (r < 0)
			return r;
	}
	if (cJSON_IsNumber(version) && version->valuedouble >= 1)
		return check_version((uint64_t)version->valuedouble, sha256, floor, err);
	return 0;
}

static int check_expiry(time_t expires, time_t now, struct jail_error *err)
{
	char text[64] = "";
	struct tm tm;

	if (now < expires)
		return 0;
	if (gmtime_r(&expires, &tm))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return jail_error_set(err, ETIME,
			      "the policy expired at %s: sign it anew with a later \"expires\" and a higher "
			      "version",
			      text);
}

int jail_envelope_accept(const struct jail_envelope *envelope, const struct jail_trust *trust,
			 const struct jail_floor *floor, time_t now, unsigned flags,
			 struct jail_policy *ret_policy, uint8_t ret_sha256[32], struct jail_error *err)
{
	jail_autopolicy struct jail_policy policy = {0};
	uint8_t sha256[32];
	int r = check_signatures(envelope, trust, err);

	if (r < 0)
		return r;
	if (strcmp(envelope->type, JAIL_PAYLOAD_TYPE) != 0)
		return jail_error_set(err, EBADMSG,
				      "the envelope holds \"%.100s\", expected \"" JAIL_PAYLOAD_TYPE "\"",
				      envelope->type);
	jail_sha256(envelope->payload.data, envelope->payload.len, sha256);
	r = jail_policy_parse_strict(envelope->payload.data, envelope->payload.len, &policy, err);
	if (r == -EINVAL) {
		int earlier = check_unreadable(envelope, trust, sha256, floor, err);
		if (earlier < 0)
			return earlier;
	}
	if (r < 0)
		return jail_error_prefix(err, "the policy in the envelope");
	r = check_cluster(policy.cluster, trust, err);
	if (r == 0)
		r = check_version(policy.version, sha256, floor, err);
	if (r == 0 && !(flags & JAIL_ACCEPT_EXPIRED))
		r = check_expiry(policy.expires, now, err);
	if (r < 0)
		return r;
	*ret_policy = policy;
	policy = (struct jail_policy){0};
	memcpy(ret_sha256, sha256, sizeof sha256);
	return 0;
}
