package vpa

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWebhookRefusesStrangers calls the webhook as another user of this machine can.
func TestWebhookRefusesStrangers(t *testing.T) {
	a := testAdmission(patience)
	if err := a.listen(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.server.Close() })
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.caCert)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for _, path := range []string{"", "metrics", "debug/pprof/", a.secret + "/", strings.ToLower(a.secret), a.secret[1:]} {
		resp, err := client.Post(a.address+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("POST /%s: %s, want 403", path, resp.Status)
		}
	}
	answer := httptest.NewRecorder()
	a.admits(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).
		ServeHTTP(answer, httptest.NewRequest(http.MethodPost, a.address+a.secret, nil))
	if answer.Code != http.StatusOK {
		t.Errorf("the registered path: %d, want 200", answer.Code)
	}
}
