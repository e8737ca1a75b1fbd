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


def groups_of(records, with_sigs):
    """{(owner, type): records}: the RRsets of a section, each with its signatures or without."""
    groups = {}
    for record in records:
        if with_sigs or record.rdtype != RRSIG:
            groups.setdefault((record.owner, record.covers or record.rdtype), set()).add(record)
    return groups


def common_parts(one, other, with_sigs):
    """Two replies to a question that any part of the RRsets answers, without those in the answer that only one has.
    Unchanged where a part is not what explains them: of two that are whole, the fewer RRsets are among the others."""
    first, second = groups_of(one.answer, with_sigs), groups_of(other.answer, with_sigs)
    short, long = sorted((first, second), key=len)
    whole = not (one.truncated or other.truncated)
    if not short or not long or (whole and len(long) > 1 and not short.keys() <= long.keys()):
        return one, other
    common = first.keys() & second.keys()

    def part(reply, groups):
        return replace(reply, answer=frozenset(record for key in common for record in groups[key]))

    return part(one, first), part(other, second)


@rule("RFC 8482 §4.1: a server may answer ANY with a part of the RRsets that it has")
def any_is_answered_with_a_part(query, one, other):
    if query.rdtype != "ANY" or one.rcode != other.rcode:
        return one, other
    # RFC 4035 §3.1.1: signatures go along with DO; without, they may be among all that there is.
    if one.truncated != other.truncated and not query.tcp:  # and compared over TCP
        return one, replace(one, edns=other.edns)
    return common_parts(one, other, query.do)


@rule("RFC 8482 §4.1, §7: of the RRSIGs at a name, too, a part is enough")
def rrsig_is_answered_with_a_part(query, one, other):
    if query.rdtype != RRSIG or one.rcode != other.rcode:
        return one, other
    return common_parts(one, other, True)


@rule("RFC 8482 §4.1: the part of ANY that Knot DNS picks may be the signatures alone", "knot")
def knot_answers_any_with_signatures(query, knot, other):
    if query.rdtype != "ANY" or knot.rcode != other.rcode or not knot.answer or not other.answer:
        return knot, other
    alone = all(record.rdtype == RRSIG for record in knot.answer)
    covered = {(record.owner, record.rdtype) for record in other.answer}
    known = {r for r in knot.answer if (r.owner, r.covers) in covered} - other.answer
    return (replace(knot, answer=other.answer), other) if alone and not (query.do and known) else (knot, other)


@rule("RFC 2181 §9: what a reply with TC holds is to be ignored; the run asks again over TCP and compares that")
def truncated_replies_differ_in_what_fits(query, one, other):
    if not (one.truncated and other.truncated) or one.rcode != other.rcode or one.flags != other.flags:
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


@rule("RFC 6840 §4.3: nothing is denied at an alias; Knot DNS says NODATA there of RRSIG and NSEC", "knot")
def knot_denies_rrsig_and_nsec_at_an_alias(query, knot, other):
    denied = query.rdtype in (RRSIG, "NSEC") and is_denied_at_an_alias(query, knot, other)
    return (other, other) if denied else (knot, other)


@rule("RFC 6840 §4.3: nothing is denied at an alias; BIND says NODATA there of RRSIG, NSEC and KEY", "bind")
def bind_denies_rrsig_nsec_and_key_at_an_alias(query, bind, other):
    denied = query.rdtype in (RRSIG, "NSEC", "KEY") and is_denied_at_an_alias(query, bind, other)
    return (other, other) if denied else (bind, other)


def is_denied_at_an_alias(query, denial, other):
    """Whether one reply is NODATA where the other begins with the CNAME of the name that was asked."""
    denies = denial.rcode == "NOERROR" and "AA" in denial.flags and not denial.answer
    return denies and any(r.rdtype == "CNAME" and r.owner == query.name.lower() for r in other.answer)


@rule("RFC 1034 §3.6.2: a chain of CNAMEs that ends nowhere; BIND says SERVFAIL", "bind")
def bind_fails_at_a_loop(query, bind, other):
    aliases = other.rcode == "NOERROR" and all("CNAME" in (r.rdtype, r.covers) for r in other.answer)
    return (other, other) if bind.rcode == "SERVFAIL" and aliases and other.answer else (bind, other)


@rule("RFC 5155 §7.2.1: the closest provable encloser; Knot DNS sends an empty NXDOMAIN where it is not the parent",
      "knot")
def knot_cannot_deny_below_an_unproved_empty_non_terminal(query, knot, other):
    bare = knot.rcode == other.rcode and not (knot.flags or knot.answer or knot.authority or knot.additional)
    return (other, other) if bare and query.do and is_below_unproved(query.name) else (knot, other)


@rule("RFC 1034 §3.6.2, RFC 6672 §3.2: how often a loop is gone round is not said")
def a_loop_is_cut_somewhere(query, one, other):
    aliases = {record.owner for reply in (one, other) for record in reply.answer if record.rdtype in ("CNAME", "DNAME")}
    targets = {record.owner for reply in (one, other) for record in reply.answer} - aliases
    if not aliases or targets or "loop" not in query.name.lower():
        return one, other
    parts = one.answer <= other.answer or other.answer <= one.answer
    return (one, replace(other, answer=one.answer)) if parts else (one, other)


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


@rule("RFC 4035 §2.3: the NSEC at a cut belongs to the parent; BIND answers a question for it with authority", "bind")
def bind_answers_nsec_at_a_cut(query, bind, other):
    refers = query.rdtype == "NSEC" and other.is_referral and bind.rcode == other.rcode
    return (other, other) if refers else (bind, other)


@rule("RFC 4035 §3.1.3.4: NSD proves another name than the one a DNAME led to, where that is made by a wildcard", "nsd")
def nsd_proves_another_name_after_a_dname(query, nsd, other):
    rewritten = any(record.rdtype == "DNAME" for record in other.answer)
    same = (nsd.rcode, nsd.flags, nsd.answer) == (other.rcode, other.flags, other.answer)
    if not rewritten or not same:
        return nsd, other
    return both(nsd, other, lambda reply: replace(reply, authority=reply.authority - proofs(reply)))


@rule("RFC 5155 §7.2.1: the closest provable encloser; NSD leaves it out where it is not the parent", "nsd")
def nsd_leaves_out_an_unproved_empty_non_terminal(query, nsd, other):
    same = (nsd.rcode, nsd.flags, nsd.answer) == (other.rcode, other.flags, other.answer)
    if not (same and query.do and is_below_unproved(query.name)):
        return nsd, other
    return both(nsd, other, lambda reply: replace(reply, authority=reply.authority - proofs(reply)))


def is_below_unproved(name):
    """Whether opt-out left a name above this one without NSEC3 (RFC 5155 §7.1): ugly_zone.py's ent3 has insecure
    delegations only."""
    return name.lower().endswith(".ent3.ugly-opt-out.test.")


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
