#include "server/http_internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

static bool
complain(const struct ts_http *http, const char *what, const char *path)
{
    char words[160] = "";
    unsigned long code = ERR_peek_last_error();

    ERR_error_string_n(code, words, sizeof words);
    ts_log(&http->server->env, TS_LOG_ERROR, "%s %s cannot be used: %s", what, path, code ? words : "no reason given");
    ERR_clear_error();
    return false;
}

static bool
load(const struct ts_http *http, SSL_CTX *tls, const struct ts_config *config)
{
    const char *certificate = config->server.certificate, *key = config->server.key, *ca = config->server.client_ca;

    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
        return complain(http, "server: certificate:", certificate);
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(tls) != 1)
        return complain(http, "server: key:", key);
    if (!ca)
        return true;
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (!store || !names || X509_STORE_load_file(store, ca) != 1) {
        X509_STORE_free(store);
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return complain(http, "server: client-ca:", ca);
    }
    SSL_CTX_set_cert_store(tls, store);
    SSL_CTX_set_client_CA_list(tls, names);
    return true;
}

/* The files are tried apart first: a half-changed context would serve one file's certificate with another's key. */
static bool
try_files(const struct ts_http *http, const struct ts_config *config)
{
    if (!config->server.certificate || !config->server.key) {
        ts_log(&http->server->env, TS_LOG_ERROR, "server: certificate: and key: are needed: this API is for TLS alone");
        return false;
    }
    SSL_CTX *tls = SSL_CTX_new_ex(http->server->env.libctx, NULL, TLS_server_method());
    bool good = tls && load(http, tls, config);
    SSL_CTX_free(tls);
    return good;
}

bool
ts_tls_prepare(struct ts_http *http, struct lws_context_creation_info *info)
{
    const struct ts_config *config = http->server->config;

    if (!try_files(http, config))
        return false;
    info->ssl_cert_filepath = config->server.certificate;
    info->ssl_private_key_filepath = config->server.key;
    info->ssl_ca_filepath = config->server.client_ca;
    info->alpn = "http/1.1";
    info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    if (config->server.client_ca)
        info->options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT | LWS_SERVER_OPTION_PEER_CERT_NOT_REQUIRED;
    return true;
}

void
ts_tls_keep(struct ts_http *http, SSL_CTX *tls)
{
    static const unsigned char name[] = "tallystick-server";

    http->tls = tls;
    (void)SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    (void)SSL_CTX_set_session_id_context(tls, name, sizeof name - 1);
    /* A session that is taken up again would carry a certificate that may be revoked by now. */
    (void)SSL_CTX_set_num_tickets(tls, 0);
}

bool
ts_tls_reload(struct ts_http *http, const struct ts_config *config)
{
    return try_files(http, config) && load(http, http->tls, config);
}

bool
ts_tls_client(uint8_t out[32], struct ts_http *http, struct lws *wsi)
{
    SSL *tls = lws_get_ssl(wsi);
    X509 *certificate = tls ? SSL_get1_peer_certificate(tls) : NULL;
    EVP_MD *hash = EVP_MD_fetch(http->server->env.libctx, "SHA256", NULL);
    unsigned len = 0;

    bool good = certificate && hash && SSL_get_verify_result(tls) == X509_V_OK &&
                X509_digest(certificate, hash, out, &len) == 1 && len == 32;
    EVP_MD_free(hash);
    X509_free(certificate);
    return good;
}
