"""The freedoms that two right servers may use differently, and the habits of the peers: why their replies differ.

A rule takes the query and two replies and returns them with the difference removed that it explains; the run applies
the rules in the order of RULES until the two are equal, and counts the ones that it needed. What remains different is
unexplained, and fails. Rules that name a server apply to it alone: `server` is its kind, and the reply comes first.
"""

from dataclasses import dataclass, replace

from replies import PROOFS, RRSIG

ADDRESSES = {"A", "AAAA"}


@dataclass(frozen=True)
class Rule:
    name: str
    source: str
    apply: object
    server: str = ""


RULES = []


def rule(source, server=""):
    def register(function):
        RULES.append(Rule(function.__name__.replace("_", " "), source, function, server))
        return function

    return register


def both(one, other, change):
    return change(one), change(other)


@rule("RFC 8482 §4: a server may answer ANY with any part of what it has, and RFC 8482 §4.4: with TC over UDP")
def any_is_answered_with_a_part(query, one, other):
    if query.rdtype != "ANY" or one.rcode != other.rcode:
        return one, other
    return replace(one, answer=frozenset(), authority=frozenset(), additional=frozenset(), flags=one.flags - {"TC"}), \
        replace(other, answer=frozenset(), authority=frozenset(), additional=frozenset(), flags=other.flags - {"TC"})


@rule("RFC 4034 §3, RFC 8482 §7: RRSIG is asked for debugging only, a part is enough")
def rrsig_is_answered_with_a_part(query, one, other):
    if query.rdtype != RRSIG or one.rcode != other.rcode or bool(one.answer) != bool(other.answer):
        return one, other
    empty = frozenset()
    return replace(one, answer=empty, authority=empty, additional=empty, flags=one.flags - {"TC"}), \
        replace(other, answer=empty, authority=empty, additional=empty, flags=other.flags - {"TC"})


@rule("RFC 2181 §9: a reply with TC is to be ignored and asked again over TCP, whatever it holds")
def a_truncated_reply_may_hold_any_of_its_sections(query, one, other):
    if not (one.truncated and other.truncated) or one.rcode != other.rcode:
        return one, other
    return one, replace(one, edns=other.edns)


@rule("RFC 1034 §4.3.2: the zone's NS beside an answer is not asked for by any step")
def the_zones_ns_may_stand_beside_an_answer(query, one, other):
    if one.is_referral or other.is_referral or not (one.answer and other.answer):
        return one, other

    def drop(reply):
        return reply.without("authority", lambda r: "NS" not in (r.rdtype, r.covers))

    return both(one, other, drop)


@rule("RFC 1034 §4.3.2 step 6, RFC 9471 §3.1: additional data is what seems useful; only glue of a referral is due")
def additional_data_is_optional_beside_glue(query, one, other):
    due = {glue for reply in (one, other) if reply.is_referral for glue in required_glue(reply)}

    def drop(reply):
        return reply.without("additional", lambda r: r.owner in due and r.rdtype in ADDRESSES)

    return both(one, other, drop)


def required_glue(reply):
    """The in-domain name servers of a referral."""
    cuts = [record for record in reply.authority if record.rdtype == "NS"]
    owners = {record.owner for record in reply.additional}
    return {owner for owner in owners for cut in cuts if owner.endswith("." + cut.owner) or owner == cut.owner}


@rule("RFC 6891 §6.2.5: what fits depends on the optional records that each adds")
def one_needed_truncation_and_the_other_did_not(query, one, other):
    small, large = (one, other) if one.truncated else (other, one)
    if query.tcp or not small.truncated or large.truncated or small.rcode != large.rcode:
        return one, other
    optional = 450  # what NSD adds: three NS, their addresses and signatures
    near = large.octets > min(query.size, 1232) - optional
    return (one, one) if near else (one, other)


@rule("RFC 1034 §3.6.2, RFC 6672 §3.2: how often a loop is gone round is not said")
def a_loop_is_cut_somewhere(query, one, other):
    aliases = {record.owner for reply in (one, other) for record in reply.answer if record.rdtype in ("CNAME", "DNAME")}
    targets = {record.owner for reply in (one, other) for record in reply.answer} - aliases
    if not aliases or targets or "loop" not in query.name.lower():
        return one, other
    return one, one


@rule("Knot DNS answers a name that DNAME made too long with NXDOMAIN; RFC 6672 §2.2 says YXDOMAIN", "knot")
def knot_has_no_yxdomain(query, knot, other):
    return (replace(other), other) if other.rcode == "YXDOMAIN" and knot.rcode == "NXDOMAIN" else (knot, other)


@rule("RFC 5155 §7.2.8: an NSEC3 owner is no name of the zone; NSD takes it for a closest encloser", "nsd")
def nsd_finds_names_below_an_nsec3_owner_missing(query, nsd, other):
    return (other, other) if has_nsec3_label(query.name) else (nsd, other)


def has_nsec3_label(name):
    """Whether a label after the first is the hash of an NSEC3 owner (RFC 5155 §3)."""
    return any(len(label) == 32 and set(label.lower()) <= set("0123456789abcdefghijklmnopqrstuv")
               for label in name.split(".")[1:])


@rule("RFC 2308 §3: a negative answer's SOA has the lesser TTL; BIND sends 0 to a question for SOA (zero-no-soa-ttl)",
      "bind")
def bind_denies_a_soa_with_ttl_zero(query, bind, other):
    if query.rdtype != "SOA":
        return bind, other
    return both(bind, other, lambda reply: replace(reply, authority=frozenset(
        replace(r, ttl=0) if "SOA" in (r.rdtype, r.covers) else r for r in reply.authority)))


@rule("RFC 4592 §2.1.1: a question for an asterisk label; Knot DNS proves only that the wildcard matched", "knot")
def knot_takes_an_asked_asterisk_for_the_wildcard(query, knot, other):
    if not query.name.startswith("*.") or knot.rcode != other.rcode or knot.answer != other.answer:
        return knot, other
    return (replace(knot, authority=other.authority), other) if proofs(knot) < proofs(other) else (knot, other)


@rule("RFC 5155 §7.2.3: one matching NSEC3 proves NODATA; NSD adds the closest encloser's at a wildcard", "nsd")
def nsd_proves_more_at_a_wildcard(query, nsd, other):
    if not query.name.startswith("*.") or nsd.rcode != other.rcode or nsd.answer != other.answer:
        return nsd, other
    return (replace(nsd, authority=other.authority), other) if proofs(other) < proofs(nsd) else (nsd, other)


def proofs(reply):
    return {r for r in reply.authority if PROOFS & {r.rdtype, r.covers}}


@rule("RFC 4035 §2.5, RFC 2181 §10.1: RRSIG, NSEC and KEY may stand beside a CNAME; whether it is followed then is open")
def types_beside_a_cname_are_followed_or_not(query, one, other):
    aliased = any(record.rdtype == "CNAME" for reply in (one, other) for record in reply.answer)
    return (one, one) if aliased and query.rdtype in (RRSIG, "NSEC", "KEY") else (one, other)


@rule("RFC 4035 §2.3: the NSEC at a cut belongs to the parent; BIND answers a question for it with authority", "bind")
def bind_answers_nsec_at_a_cut(query, bind, other):
    refers = query.rdtype == "NSEC" and other.is_referral and bind.rcode == other.rcode
    return (other, other) if refers else (bind, other)


@rule("RFC 4035 §3.1.3.4: NSD proves another name than the one a DNAME led to, where that is made by a wildcard", "nsd")
def nsd_proves_another_name_after_a_dname(query, nsd, other):
    rewritten = any(record.rdtype == "DNAME" for record in other.answer)
    same = (nsd.rcode, nsd.flags, nsd.answer) == (other.rcode, other.flags, other.answer)
    return (other, other) if rewritten and same else (nsd, other)


@rule("RFC 5155 §7.1: with opt-out, an empty non-terminal above insecure delegations only needs no NSEC3")
def below_an_unproved_empty_non_terminal(query, one, other):
    name = query.name.lower()
    if not (name.endswith(".ent3.ugly-opt-out.test.") and one.rcode == other.rcode and one.answer == other.answer):
        return one, other
    return (one, one)


@rule("RFC 9471 §3.1: glue that does not fit sets TC; BIND 9.18 leaves it out", "bind")
def bind_leaves_glue_out(query, bind, other):
    fits_not = other.is_referral and query.size <= 512 and bind.additional < other.additional
    return (other, other) if fits_not and bind.authority == other.authority else (bind, other)


@rule("RFC 8482 §4.3: BIND does not follow a DNAME for ANY", "bind")
def bind_does_not_follow_a_dname_for_any(query, bind, other):
    rewritten = any(record.rdtype == "DNAME" for record in bind.answer)
    return (other, other) if query.rdtype == "ANY" and rewritten else (bind, other)


@rule("RFC 4035 §2.3: NSEC asked for at a name that a wildcard makes; Knot DNS leaves out the wildcard's own", "knot")
def knot_denies_nsec_without_the_wildcards(query, knot, other):
    if query.rdtype != "NSEC" or knot.rcode != other.rcode or knot.answer != other.answer:
        return knot, other
    return (replace(knot, authority=other.authority), other) if proofs(knot) < proofs(other) else (knot, other)
