#pragma once
// Statements made by another implementation (Python, the cryptography package), in base64 where nothing else is said.
//
// The test key of the sample agents: Ed25519 with the seed of RFC 8032 §7.1, test 1. Everybody knows it: it is for
// tests and samples only.

#include <string_view>

namespace steward::agent::test {

constexpr std::string_view test_seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";  // hex
constexpr std::string_view agent_name = "vibe-agency-orchestrator.vibe-agency.com.steward-registry.org.";
constexpr std::string_view endpoint_digest_text =
    "sha256:0776db7dfedba9a1267384dadefbabc77e93883230362aa42750197b84ac381d";
constexpr std::string_view svcb_rdata =
    "0001066167656e74730b766962652d6167656e637903636f6d0000010007036132610268320003000201bb";  // hex

constexpr std::string_view ed25519_fingerprint =
    "sha256:06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9";
constexpr std::string_view ed25519_signature =
    "eSMVgtRzM9FHUszAld1W2MtPqK1Rswaj3h2zh94eesdnWeLJ-hlhy10vKl3x_Afvs171LrIJj1Ka_3DYqN49Ag";  // base64url
constexpr std::string_view ed25519_txt =
    "CnY9c3Rld2FyZDENdmVyc2lvbj0xLjQuMiJjYXBhYmlsaXRpZXM9b3JjaGVzdHJhdGVfc2RsYyxwbGFuDXN0YXR1cz1hY3RpdmVKZnA9c2hhMj"
    "U2OjA2ZTNmZDhmZGEyOWJiNjBhYjU5NTU3ZGU2MWVkYjBhZWNkYjIzMTEzNGJlMzBlNzViNDU1ZjhlMWI3OTJmYTkdbW9kaWZpZWQ9MjAyNS0x"
    "MS0yMVQxMzowMDowMFpKZXA9c2hhMjU2OjA3NzZkYjdkZmVkYmE5YTEyNjczODRkYWRlZmJhYmM3N2U5Mzg4MzIzMDM2MmFhNDI3NTAxOTdiOD"
    "RhYzM4MWT/ZGVzYz14eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH"
    "h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4N2Rlc2M9eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHhac2lnPWVTTVZndF"
    "J6TTlGSFVzekFsZDFXMk10UHFLMVJzd2FqM2gyemg5NGVlc2RuV2VMSi1obGh5MTB2S2wzeF9BZnZzMTcxTHJJSmoxS2FfM0RZcU40OUFn";

constexpr std::string_view ecdsa_key =
    "AgADDbmzDEclYTHrNn3F00z3U5pBdInA/3JLATeqpn+LMN6YBI4JPYmIs39UBiQb8GJUUjwo0YJI9/vuJ8/dZP4Z+TY=";
constexpr std::string_view ecdsa_txt =
    "CnY9c3Rld2FyZDENdmVyc2lvbj0xLjQuMiJjYXBhYmlsaXRpZXM9b3JjaGVzdHJhdGVfc2RsYyxwbGFuDXN0YXR1cz1hY3RpdmVKZnA9c2hhMj"
    "U2OjU0ZjM4MDk2YjU5N2U3NDBjZmY3NmI4NzdmYjFlMDk2ODQxYzFjZTRmODkyODcyYzE0YTlkNDRhNTU2M2NmMDQdbW9kaWZpZWQ9MjAyNS0x"
    "MS0yMVQxMzowMDowMFpKZXA9c2hhMjU2OjA3NzZkYjdkZmVkYmE5YTEyNjczODRkYWRlZmJhYmM3N2U5Mzg4MzIzMDM2MmFhNDI3NTAxOTdiOD"
    "RhYzM4MWT/ZGVzYz14eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH"
    "h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4N2Rlc2M9eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHhac2lnPUJiYnVscU"
    "xsYVpfNS1vVEh6eVhaWnNRRk5kNWFNMjNEZ3Z3UXloV29XLXU2a09RTEdwaVViOHloeVozeGg5ZG5JUkp1WEVkX0ppMjlkSDBSaE1QSzlR";

constexpr std::string_view rsa_key =
    "AgADCAMBAAG0YhAVapBjHTGK+8M+0yHnJpZ8VIBzuBU7uy3ZSXqSq3WQ0yMvgS5b5whz2M4f4Ad4rTuRad1crAwNACP+UORstKKRsmDaIpuhSW"
    "MGKTLMwfkSxxJoPu09mzkuyah0n7kTWxoWY4Kbik+87RqvTs7hm768ZIr5/m3v6q9Xh3v/UYnqr/6337RBnNnbyaAyqesRzHoqjPeMTYCb2nGp"
    "zR5t++cpVYfRRXkC/CcvwN8tshdDF9qIsUBu2NXHJnbFh0fgqL90FwzQf4zeSRI1kIxO/6sBMEBFO07xNN+s0tDP7Aa7W/XcAr7X+Kzma3nRxk"
    "Dsp6Wx3c2Mf2lU5rt0dTIN";
constexpr std::string_view rsa_txt =
    "CnY9c3Rld2FyZDENdmVyc2lvbj0xLjQuMiJjYXBhYmlsaXRpZXM9b3JjaGVzdHJhdGVfc2RsYyxwbGFuDXN0YXR1cz1hY3RpdmVKZnA9c2hhMj"
    "U2OmFkYjZiM2NkYmU5MjVmNDFhMTI2Y2M0NGNkOTg1ZDgxNDM3MGNmNDkyNTAwM2JhNzEyYTRmMzg4MjE4ZDNhNTUdbW9kaWZpZWQ9MjAyNS0x"
    "MS0yMVQxMzowMDowMFpKZXA9c2hhMjU2OjA3NzZkYjdkZmVkYmE5YTEyNjczODRkYWRlZmJhYmM3N2U5Mzg4MzIzMDM2MmFhNDI3NTAxOTdiOD"
    "RhYzM4MWT/ZGVzYz14eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH"
    "h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
    "eHh4eHh4eHh4eHh4eHh4N2Rlc2M9eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHj/c2lnPU9HQV8xUX"
    "J3N3R1ZjBqOHdVY2gzMTZIMUt0a2NjMk14UVR5akhrdW5HazZobHdBcDBndFQ4UjRJUl9ET0MxcTlrVjVMbFBIay1hUmJGVlk0ZVFfdU51b2F5"
    "UVhibkY2MElsbWxSVkhIVXZHRm5KdFF4WFM1RnAtYmlzWnpLRWZacV9tdDFHNVBiZFl3eUV0TFFTNUhfSmRzc2hab1dDM1lmb3gwc1ZyUGo2V0"
    "9kSnNIUWEyZzh0X0VUSVotQ0VoRmlidzhuMXpCeGFrV3ZzZWlMcEJUckFrOUphRk95MHBDQl93QjFJdEk5eVRBNFlXLVVQS3Y1dkRNNGtMX3Np"
    "Zz1QS2tFYkZFemhjenYyTkJ3MTBPaG1WX2kzR2pBaldzNVczTkpCT21JZ2pPRFBYYWk0VjFBVzhqUThuYzItQmNvQkJ3RzFWQ1hxMkgzTm16Tm"
    "hCa2xUak5VTUJR";

/// From the test key to the one with the seed 00 01 02 … 1f; base64url.
constexpr std::string_view rotation_old_signature =
    "OGKMOSbkfCSc4Mnx8z0robiqjO-lYJE-flB_3Jr4LhFvTBqhGO5Zwo3AEPuLaQ5YQZnz5XPxu2fPOVV1WUCVAw";
constexpr std::string_view rotation_new_signature =
    "hamKqsvIGxuXogIl2W7sqaJRSdN3eA2PBok36hinB5JLZcbG0AnOhuETUQaxk5ZfuoQ4fyHZLAWzBoRQ-UdSAg";

}  // namespace steward::agent::test
