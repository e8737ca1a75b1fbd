"""An ordinary ugly zone: every RR type, wildcards at odd places, delegations of each kind, DNAME, empty non-terminals,
odd octets.

Written with relative names, so that the same text makes a zone at several origins. Types that one of the servers has no
text form for are written as RFC 3597 says, which makes no difference on the wire.
"""

TYPES = r"""
t-a            A          192.0.2.1
t-a            A          192.0.2.2
t-mb           MB         t-a
t-mg           MG         t-mb
t-mr           MR         t-mb
t-hinfo        HINFO      "PDP-11/70" "UNIX"
t-minfo        MINFO      rmail email
t-null         TYPE10     \# 3 010203
t-wks          WKS        192.0.2.1 6 0 1 2 21 23
t-ptr          PTR        t-a
t-mx           MX         0 t-a
t-mx           MX         10 t-aaaa
t-mx           MX         20 mail.elsewhere.invalid.
t-txt          TXT        "one" "two three" ""
t-txt          TXT        "\"quoted\" \\ and \001\255"
t-rp           RP         mbox.t-rp t-txt
t-afsdb        AFSDB      1 t-a
t-x25          X25        "311061700956"
t-isdn         ISDN       "150862028003217" "004"
t-rt           RT         2 t-a
t-key          TYPE25     \# 8 0200030f01020304
t-px           TYPE26     \# 9 000a 01 6100 02 626300 ; broken up by blanks
t-aaaa         AAAA       2001:db8::1
t-loc          LOC        42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m
t-srv          SRV        0 5 5060 t-a
t-srv          SRV        1 0 5060 t-aaaa
t-naptr        NAPTR      100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.t-srv
t-kx           KX         10 t-a
t-cert         CERT       PKIX 12345 RSASHA256 AQIDBA==
t-apl          APL        1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32
t-sshfp        SSHFP      4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
t-ipseckey     IPSECKEY   10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
t-dhcid        DHCID      AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
t-tlsa         TLSA       3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971
t-smimea       SMIMEA     3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971
t-cds          CDS        31589 8 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C
t-openpgpkey   OPENPGPKEY AQIDBA==
t-csync        CSYNC      66 3 A NS AAAA
t-svcb         SVCB       1 t-a alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 mandatory=alpn,port
t-svcb         SVCB       2 t-aaaa key65401="private"
t-https        HTTPS      1 . alpn="h3" ech="AEP+DQA/AAA="
t-https        A          192.0.2.10
t-svcalias     SVCB       0 t-svcb
t-spf          SPF        "v=spf1 -all"
t-nid          NID        10 1014:4fff:ff20:ee64
t-l32          L32        10 10.1.2.0
t-l64          L64        10 2001:1DB8:1140:1000
t-lp           LP         10 t-l32
t-eui48        EUI48      00-00-5e-00-53-2a
t-eui64        EUI64      00-00-5e-ef-10-00-00-2a
t-uri          URI        10 1 "ftp://ftp1.example.com/public"
t-caa          CAA        128 issue "ca.example.net; policy=ev"
t-private      TYPE65280  \# 4 0A000001
t-empty        TYPE65281  \# 0
"""

SHAPES = r"""
; wildcards: over types, over a CNAME, below an empty non-terminal, an asterisk within a name
*.wild         TXT        "star"
*.wild         A          192.0.2.42
x.wild         A          192.0.2.43
deep.er.wild   A          192.0.2.44
*.star.wild2   CNAME      t-a
*.wcdead       CNAME      gone
*.wcout        CNAME      www.elsewhere.invalid.
sub.*.odd      TXT        "below an asterisk"
*.odd          MX         10 t-a
*              HINFO      "at the" "apex"
; aliases
c1             CNAME      c2
c2             CNAME      c3
c3             CNAME      t-a
loop1          CNAME      loop2
loop2          CNAME      loop1
cgone          CNAME      gone.ent
cent           CNAME      ent
cwild          CNAME      any.wild
cdeleg         CNAME      www.cut
cdname         CNAME      www.dn
cout           CNAME      www.elsewhere.invalid.
; DNAME: within, out of the zone, into a wildcard, to itself
dn             DNAME      dt
dn             TXT        "other data beside a DNAME"
www.dt         A          192.0.2.50
dnw            DNAME      wild
dno            DNAME      elsewhere.invalid.
dnc            DNAME      cut
; empty non-terminals
a.b.ent        TXT        "deep"
_x._y.ent2     SRV        0 0 1 t-a
; delegations: glue within, beside, above, none; with DS; below one another's names
cut            NS         ns.cut
cut            NS         ns2.cut
ns.cut         A          192.0.2.60
ns.cut         AAAA       2001:db8::60
ns2.cut        A          192.0.2.61
cutds          NS         ns.cutds
cutds          DS         31589 8 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C
cutds          DS         31589 8 4 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343CCDE0D742D6998AA554A92D890F818400
ns.cutds       A          192.0.2.62
cutsib         NS         ns.cut
cutin          NS         ns1
cutout         NS         ns.elsewhere.invalid.
deleg.below.ent3 NS       ns.cut
apex-like      NS         ns.apex-like
ns.apex-like   A          192.0.2.63
occluded.apex-like TXT    "below a cut, never answered"
; odd octets and cases
UPPER          TXT        "Case"
sl/ash         TXT        "a slash"
dot\.inside    TXT        "a dot"
\000\001\255   TXT        "octets"
_under_score   TXT        "underscores"
xn--bcher-kva  A          192.0.2.70
123            A          192.0.2.71
; sizes
laaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa TXT "a long label"
"""


def zone_text():
    lines = ["$TTL 3600", "@ 1800 SOA ns1 hostmaster 2025112101 7200 900 1209600 300", "@ NS ns1", "@ NS ns2",
             "@ NS ns.elsewhere.invalid.",
             "@ MX 10 t-a", "@ TXT \"apex\"", "ns1 A 127.0.0.1", "ns1 AAAA ::1", "ns2 A 127.0.0.2"]
    lines += (TYPES + SHAPES).splitlines()
    lines += [f"many A 198.51.100.{n}" for n in range(1, 60)]
    lines += [f"big TXT \"{n:0250d}\"" for n in range(12)]
    lines += [f"h{n} A 10.0.{n % 250}.1" for n in range(120)]
    return "\n".join(lines) + "\n"
