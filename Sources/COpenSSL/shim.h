// Blowfish, inside bcrypt, is how OpenSSH encrypts private keys: no choice of ours.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/blowfish.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

// To be called before anything else of OpenSSL, any number of times: leaves out its clean-up at exit. That
// clean-up frees what threads which end at the same moment free too, and then the program aborts.
static inline void duplex_openssl_begin(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

// A macro of macros that Swift cannot see.
static inline int duplex_openssl_keypair_selection(void) { return EVP_PKEY_KEYPAIR; }

// bcrypt's ExpandKey over an OpenSSL Blowfish state: the key is mixed into P, then P and S are
// replaced by the running encryption of the salt's words (of zeros, where salt is NULL). Key and
// salt are used cyclically. Here, since OpenSSL offers its key schedule without a salt only, and
// since it runs 2,000 times 521 encryptions a passphrase, which a debug build should survive.
static inline unsigned int duplex_openssl_bcrypt_word(
    const unsigned char *bytes, size_t length, size_t *position) {
  unsigned int word = 0;
  for (int i = 0; i < 4; i++) {
    word = word << 8 | bytes[*position];
    *position = (*position + 1) % length;
  }
  return word;
}

static inline void duplex_openssl_bcrypt_expand(
    BF_KEY *state, const unsigned char *salt, size_t salt_length,
    const unsigned char *key, size_t key_length) {
  size_t key_position = 0, salt_position = 0;
  BF_LONG block[2] = {0, 0};
  for (int i = 0; i < BF_ROUNDS + 2; i++) {
    state->P[i] ^= duplex_openssl_bcrypt_word(key, key_length, &key_position);
  }
  for (int i = 0; i < BF_ROUNDS + 2 + 4 * 256; i += 2) {
    if (salt) {
      block[0] ^= duplex_openssl_bcrypt_word(salt, salt_length, &salt_position);
      block[1] ^= duplex_openssl_bcrypt_word(salt, salt_length, &salt_position);
    }
    BF_encrypt(block, state);
    BF_LONG *place = i < BF_ROUNDS + 2 ? &state->P[i] : &state->S[i - (BF_ROUNDS + 2)];
    place[0] = block[0];
    place[1] = block[1];
  }
}
