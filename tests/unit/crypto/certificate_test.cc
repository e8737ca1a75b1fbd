// Certificates of registries: issued, read back, checked here and by the `openssl` command.

#include "crypto/certificate.hh"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "../../support/certificates.hh"

using namespace steward;
using namespace steward::crypto;

namespace {

const UnixTime now = unix_time(1'790'000'000);
constexpr Seconds day{86400};

dns::Name name(std::string_view text) {
  auto parsed = dns::Name::from_text(text);
  REQUIRE(parsed);
  return *parsed;
}

KeyPair make_key(Algorithm algorithm = Algorithm::ED25519, unsigned bits = 0) {
  auto key = KeyPair::generate(algorithm, bits);
  REQUIRE(key);
  return *std::move(key);
}

template <class T>
T good(Result<T> result) {
  REQUIRE_MESSAGE(result, result.error().what);
  return *std::move(result);
}

/// The root, com below it, vibe-agency.com below that.
struct Tree {
  KeyPair root_key, com_key, vibe_key;
  Bytes root, com, vibe, vibe_end;

  explicit Tree(Algorithm algorithm = Algorithm::ED25519, unsigned bits = 0)
      : root_key(make_key(algorithm, bits)), com_key(make_key(algorithm, bits)), vibe_key(make_key(algorithm, bits)) {
    root = good(make_root_certificate({name("s.example."), now, root_certificate_lifetime}, root_key));
    com = good(issue_authority_certificate(terms("com.s.example."), com_key.public_key(), {root, root_key}));
    vibe =
        good(issue_authority_certificate(terms("vibe-agency.com.s.example."), vibe_key.public_key(), {com, com_key}));
    vibe_end = good(issue_certificate(terms("vibe-agency.com.s.example."), vibe_key.public_key(), {com, com_key}));
  }
  static CertificateTerms terms(std::string_view zone) { return {name(zone), now}; }
  [[nodiscard]] Result<void> verify(const std::vector<Bytes>& certificates, UnixTime at = now + day,
                                    std::string_view zone = "Vibe-Agency.com.s.example.") const {
    const Bytes spki = good(vibe_key.public_key().spki());
    return verify_certificates(certificates, {root, name(zone), spki, at});
  }
  [[nodiscard]] std::string refusal(const std::vector<Bytes>& certificates, UnixTime at = now + day,
                                    std::string_view zone = "vibe-agency.com.s.example.") const {
    const auto verified = verify(certificates, at, zone);
    REQUIRE_FALSE(verified);
    return verified.error().what;
  }
};

bool says(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

/// Gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-issued-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ + "/" + file; }
  void write(const std::string& file, const std::string& text) const { std::ofstream(path(file)) << text; }
  [[nodiscard]] std::string read(const std::string& file) const {
    std::ifstream in(path(file));
    return {(std::istreambuf_iterator<char>(in)), {}};
  }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("certificate: a chain from the root over two authorities is good") {
  const Tree tree;
  CHECK(tree.verify({tree.vibe_end, tree.com}));
  CHECK(tree.verify({tree.vibe_end, tree.com, tree.root}));
  CHECK(tree.verify({tree.vibe_end, tree.root, tree.com}));

  const auto facts = good(read_certificate(tree.vibe));
  CHECK(facts.authority);
  CHECK(*facts.permitted == std::vector<std::string>{"vibe-agency.com.s.example"});
  CHECK(facts.path_length == max_authorities_below_root - 2);
  CHECK(facts.spki == good(tree.vibe_key.public_key().spki()));
  const auto end = good(read_certificate(tree.vibe_end));
  CHECK_FALSE(end.authority);
  CHECK(end.names == std::vector<std::string>{"vibe-agency.com.s.example"});
  CHECK(end.server_and_client);
  CHECK(end.from == now - certificate_backdating);
  CHECK(end.until == now + certificate_lifetime);
  CHECK(end.serial.size() == 32);
  CHECK(end.serial != facts.serial);
}

TEST_CASE("certificate: the root registry has an end entity of its own, though one key made both") {
  const Tree tree;
  const Bytes end =
      good(issue_certificate(Tree::terms("s.example."), tree.root_key.public_key(), {tree.root, tree.root_key}));
  const Bytes spki = good(tree.root_key.public_key().spki());
  CHECK(verify_certificates(std::vector<Bytes>{end}, {tree.root, name("s.example."), spki, now}));
}

TEST_CASE("certificate: a child's stays good when its parent's is renewed with the same key") {
  const Tree tree;
  const UnixTime later = now + day * 300;
  const Bytes renewed = good(issue_authority_certificate({name("com.s.example."), later}, tree.com_key.public_key(),
                                                         {tree.root, tree.root_key}));
  CHECK(tree.verify({tree.vibe_end, renewed}, now + day * 360));
}

TEST_CASE("certificate: expired, or not yet good, at any step") {
  const Tree tree;
  CHECK(says(tree.refusal({tree.vibe_end, tree.com}, now + certificate_lifetime + Seconds{1}), "expired"));
  CHECK(says(tree.refusal({tree.vibe_end, tree.com}, now - certificate_backdating - Seconds{1}), "not yet valid"));
  CHECK(tree.verify({tree.vibe_end, tree.com}, now + certificate_lifetime - Seconds{1}));
  const Bytes young = good(issue_certificate({name("vibe-agency.com.s.example."), now + day * 300},
                                             tree.vibe_key.public_key(), {tree.com, tree.com_key}));
  const std::string why = tree.refusal({young, tree.com}, now + day * 400);
  CHECK(says(why, "authority of com.s.example"));
  CHECK(says(why, "expired"));
}

TEST_CASE("certificate: another name, another key, another root, a missing authority") {
  const Tree tree;
  const Tree foreign;
  CHECK(says(tree.refusal({tree.vibe_end, tree.com}, now, "other.com.s.example."), "subjectAltName is not"));
  CHECK(says(tree.refusal({foreign.vibe_end, foreign.com}), "key is not the one"));
  CHECK(says(tree.refusal({tree.vibe_end}), "unable to get"));
  CHECK(says(tree.refusal({}), "none was shown"));
  const Bytes spki = good(tree.vibe_key.public_key().spki());
  const auto other_root = verify_certificates(std::vector<Bytes>{tree.vibe_end, tree.com, tree.root},
                                              {foreign.root, name("vibe-agency.com.s.example."), spki, now});
  REQUIRE_FALSE(other_root);
  CHECK(other_root.error().code == Errc::Refused);
  CHECK(says(tree.refusal({tree.com, tree.root}), "authority's stands where"));
}

TEST_CASE("certificate: a signature or name that was changed is refused") {
  const Tree tree;
  Bytes changed = tree.vibe_end;
  changed.back() ^= 1;
  CHECK(says(tree.refusal({changed, tree.com}), "signature"));
  Bytes longer = tree.vibe_end;
  longer.push_back(0);
  CHECK(says(tree.refusal({longer, tree.com}), "left over"));
  CHECK_FALSE(read_certificate(Bytes(max_certificate_size + 1, 0x30)));
  CHECK_FALSE(read_certificate({}));
}

TEST_CASE("certificate: an authority cannot vouch for a name outside of its zone") {
  const Tree tree;
  const auto refused = issue_certificate(Tree::terms("vibe-agency.org.s.example."), tree.vibe_key.public_key(),
                                         {tree.com, tree.com_key});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::Refused);
  CHECK_FALSE(
      issue_certificate(Tree::terms("notcom.s.example."), tree.vibe_key.public_key(), {tree.com, tree.com_key}));
  CHECK_FALSE(
      issue_authority_certificate(Tree::terms("com.s.example."), tree.vibe_key.public_key(), {tree.com, tree.com_key}));
  CHECK_FALSE(
      issue_certificate(Tree::terms("a.com.s.example."), tree.vibe_key.public_key(), {tree.com, tree.vibe_key}));
  CHECK_FALSE(
      issue_certificate(Tree::terms("a.com.s.example."), tree.vibe_key.public_key(), {tree.vibe_end, tree.vibe_key}));
  CHECK_FALSE(issue_certificate({name("a.com.s.example."), now + certificate_lifetime + Seconds{1}},
                                tree.vibe_key.public_key(), {tree.com, tree.com_key}));

  // What another certificate of the same key has issued is checked with this one.
  const Bytes com_like = good(make_root_certificate(Tree::terms("com.s.example."), tree.com_key));
  const Bytes within = good(issue_certificate(Tree::terms("vibe-agency.com.s.example."), tree.vibe_key.public_key(),
                                              {com_like, tree.com_key}));
  CHECK(tree.verify({within, tree.com}));
}

TEST_CASE("certificate: paths of authorities end") {
  const Tree tree;
  Bytes above = tree.com;
  std::vector<Bytes> path{above};
  std::string zone = "com.s.example.";
  // All with one key, which is as good as many here.
  for (unsigned depth = 1; depth < max_authorities_below_root; ++depth) {
    zone = "a." + zone;
    above = good(issue_authority_certificate(Tree::terms(zone), tree.com_key.public_key(), {above, tree.com_key}));
    path.insert(path.begin(), above);
  }
  CHECK(good(read_certificate(above)).path_length == 0);
  CHECK_FALSE(issue_authority_certificate(Tree::terms("b." + zone), tree.com_key.public_key(), {above, tree.com_key}));
  const std::string last = "vibe." + zone;
  path.insert(path.begin(),
              good(issue_certificate(Tree::terms(last), tree.vibe_key.public_key(), {above, tree.com_key})));
  CHECK(tree.verify(path, now, last));
  path.push_back(tree.root);
  CHECK(says(tree.refusal(path, now, last), "of them were shown"));
}

TEST_CASE("certificate: a slash, the root and underscores get none; weak keys neither") {
  const KeyPair key = make_key();
  const auto hosted = make_self_signed_certificate(Tree::terms("user/kimeisele.github.s.example."), key);
  REQUIRE_FALSE(hosted);
  CHECK(hosted.error().code == Errc::Refused);
  CHECK(says(hosted.error().what, "slash"));
  CHECK_FALSE(make_root_certificate(Tree::terms("."), key));
  CHECK_FALSE(make_self_signed_certificate(Tree::terms("_agents.s.example."), key));
  const auto weak = make_self_signed_certificate(Tree::terms("s.example."), make_key(Algorithm::RSASHA256, 1024));
  REQUIRE_FALSE(weak);
  CHECK(says(weak.error().what, "2048"));
  CHECK_FALSE(make_self_signed_certificate(Tree::terms("s.example."), make_key(Algorithm::ECDSAP256SHA256)));
}

TEST_CASE("certificate: the self-signed one of a registration proves nothing to others") {
  const Tree tree;
  const Bytes own = good(make_self_signed_certificate(Tree::terms("vibe-agency.com.s.example."), tree.vibe_key));
  const auto facts = good(read_certificate(own));
  CHECK(facts.spki == good(tree.vibe_key.public_key().spki()));
  CHECK(facts.server_and_client);
  CHECK(says(tree.refusal({own}), "self-signed"));
}

TEST_CASE("certificate: weak authorities and names without constraints, as another tool makes them") {
  const auto& made = testing::certificates();
  const auto read = [&](const std::string& file) {
    std::ifstream in(made.path(file));
    const std::string pem((std::istreambuf_iterator<char>(in)), {});
    return good(certificates_from_pem(pem)).front();
  };
  const auto facts = good(read_certificate(read("server.pem")));
  CHECK(facts.names == std::vector<std::string>{"ns1.example"});
  CHECK(facts.other_names);
  CHECK_FALSE(facts.server_and_client);
  const auto verified = verify_certificates(std::vector<Bytes>{read("server.pem")},
                                            {read("ca.pem"), name("ns1.example."), facts.spki, SystemClock().now()});
  REQUIRE_FALSE(verified);
  CHECK(says(verified.error().what, "subjectAltName"));
  CHECK_FALSE(certificates_from_pem("nothing"));
}

TEST_CASE(
    "certificate: an authority that signs for a name outside of its zone is refused by its constraints [RFC 5280 "
    "§4.2.1.10]") {
  const Tree tree;
  const Folder folder;
  folder.write("com.pem", good(certificate_to_pem(tree.com)));
  folder.write("com.key", good(tree.com_key.pem()));
  folder.write("vibe.key", good(tree.vibe_key.pem()));
  const auto issue = [&](const std::string& extensions, const std::string& more = "") {
    folder.write("ext", extensions);
    testing::output_of("openssl req -new -subj /CN=any -key " + folder.path("vibe.key") + " -out " +
                       folder.path("csr"));
    testing::output_of("openssl x509 -req -in " + folder.path("csr") + " -CA " + folder.path("com.pem") + " -CAkey " +
                       folder.path("com.key") + " -set_serial 77 -days 30 -extfile " + folder.path("ext") + " " + more +
                       " -out " + folder.path("out.pem"));
    return good(certificates_from_pem(folder.read("out.pem"))).front();
  };
  const UnixTime today = SystemClock().now();
  const std::string usages =
      "extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:FALSE\n"
      "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n";
  // The certificates of the tree are of another time; their makers' keys are not.
  const Bytes root = good(make_root_certificate({name("s.example."), today}, tree.root_key));
  const Bytes com = good(
      issue_authority_certificate({name("com.s.example."), today}, tree.com_key.public_key(), {root, tree.root_key}));
  const auto verdict = [&](const std::vector<Bytes>& chain, std::string_view zone) {
    const Bytes spki = good(tree.vibe_key.public_key().spki());
    const auto verified = verify_certificates(chain, {root, name(zone), spki, today + Seconds{60}});
    return verified ? "good" : verified.error().what;
  };
  const Bytes within = issue(usages + "subjectAltName=DNS:vibe.com.s.example");
  CHECK(verdict({within, com}, "vibe.com.s.example.") == "good");
  const Bytes outside = issue(usages + "subjectAltName=DNS:vibe.org.s.example");
  CHECK(says(verdict({outside, com}, "vibe.org.s.example."), "permitted subtree violation"));
  const Bytes two = issue(usages + "subjectAltName=DNS:vibe.com.s.example,DNS:more.com.s.example");
  CHECK(says(verdict({two, com}, "vibe.com.s.example."), "subjectAltName"));
  const Bytes one_way = issue("subjectAltName=DNS:vibe.com.s.example\nextendedKeyUsage=serverAuth");
  CHECK(says(verdict({one_way, com}, "vibe.com.s.example."), "servers and clients"));
  const Bytes any_way = issue("subjectAltName=DNS:vibe.com.s.example\nsubjectKeyIdentifier=hash");
  CHECK(says(verdict({any_way, com}, "vibe.com.s.example."), "servers and clients"));

  // An authority below com without constraints of its own, or with wider ones: com's would do, but it is refused.
  for (const char* constraints :
       {"", "nameConstraints=critical,permitted;DNS:s.example\n", "nameConstraints=permitted;DNS:vibe.com.s.example\n",
        "nameConstraints=critical,permitted;DNS:vibe.com.s.example,permitted;DNS:b.com.s.example\n"}) {
    INFO(constraints);
    const Bytes loose = issue(
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n" +
        std::string(constraints));
    folder.write("loose.pem", good(certificate_to_pem(loose)));
    folder.write("ext", usages + "subjectAltName=DNS:a.vibe.com.s.example");
    testing::output_of("openssl x509 -req -in " + folder.path("csr") + " -CA " + folder.path("loose.pem") + " -CAkey " +
                       folder.path("vibe.key") + " -set_serial 78 -days 30 -extfile " + folder.path("ext") + " -out " +
                       folder.path("leaf.pem"));
    const Bytes leaf = good(certificates_from_pem(folder.read("leaf.pem"))).front();
    const std::string why = verdict({leaf, loose, com}, "a.vibe.com.s.example.");
    CHECK(says(why, "RFC 5280"));
  }
}

TEST_CASE("certificate: PEM of several comes back in its order") {
  const Tree tree;
  const auto back =
      good(certificates_from_pem(good(certificate_to_pem(tree.vibe_end)) + good(certificate_to_pem(tree.com))));
  CHECK(back == std::vector<Bytes>{tree.vibe_end, tree.com});
}

TEST_CASE("certificate: openssl verify takes what is issued, with RSA and Ed25519, and refuses what lies outside") {
  const Folder folder;
  for (const auto& [algorithm, bits] : {std::pair{Algorithm::ED25519, 0U}, std::pair{Algorithm::RSASHA256, 2048U}}) {
    const Tree tree(algorithm, bits);
    folder.write("root.pem", good(certificate_to_pem(tree.root)));
    folder.write("com.pem", good(certificate_to_pem(tree.com)));
    folder.write("end.pem", good(certificate_to_pem(tree.vibe_end)));
    const std::string verify = "openssl verify -x509_strict -auth_level 2 -attime " +
                               std::to_string(seconds_of(now + day)) + " -CAfile " + folder.path("root.pem") +
                               " -untrusted " + folder.path("com.pem");
    CHECK(testing::output_of(verify + " -purpose sslserver -verify_hostname vibe-agency.com.s.example " +
                             folder.path("end.pem")) == folder.path("end.pem") + ": OK");
    CHECK(testing::output_of(verify + " -purpose sslclient " + folder.path("end.pem")) ==
          folder.path("end.pem") + ": OK");
    CHECK(testing::output_of(verify + " -verify_hostname other.com.s.example " + folder.path("end.pem") + " || true") !=
          folder.path("end.pem") + ": OK");
    const std::string text = testing::output_of("openssl x509 -noout -text -in " + folder.path("com.pem"));
    CHECK(says(text, "X509v3 Name Constraints: critical"));
    CHECK(says(text, "DNS:com.s.example"));
    CHECK(says(text, "CA:TRUE, pathlen:7"));
  }
}
