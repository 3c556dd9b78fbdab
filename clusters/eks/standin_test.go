package eks_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	clusterName = "class"
	keyID       = "AKIDEXAMPLE"
	arn         = "arn:aws:sts::111122223333:assumed-role/student/kim"
)

// account is a stand-in of AWS's endpoints. The API server is an embedded one whose
// webhook token authenticator asks the account, as EKS's does; the proxy before it
// only counts and refuses.
type account struct {
	aws, api *httptest.Server
	fault    string // the error code that every call gets; empty for none
	limit    atomic.Int32
	refused  atomic.Bool // the API server takes no token any more
	loggedIn atomic.Bool // an SSO session is there

	mu      sync.Mutex
	unknown bool     // the API server has no access entry for the caller
	user    string   // whom the access entry names
	groups  []string // kubernetesGroups of the access entry
	tokens  map[string]bool
	entries map[string]accessEntry // by principal
	page    int                    // how many of them a list has
}

// asked is the account of the test that runs: the API server outlives it.
var asked atomic.Pointer[account]

// serveTokenReviews is the webhook; it returns the path of a kubeconfig that leads to it.
func serveTokenReviews(dir string) (string, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review authenticationv1.TokenReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if a := asked.Load(); a != nil {
			review.Status = a.review(review.Spec.Token)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})) // until the process ends
	file := filepath.Join(dir, "webhook")
	return file, clientcmd.WriteToFile(api.Config{
		CurrentContext: "iam", Contexts: map[string]*api.Context{"iam": {Cluster: "iam"}}, Clusters: map[string]*api.Cluster{"iam": {Server: server.URL}},
	}, file)
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{tokens: map[string]bool{}, entries: map[string]accessEntry{}, page: 100, user: arn, groups: []string{"system:masters"}}
	asked.Store(a)
	a.aws = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.aws.Close)
	target, err := url.Parse(node.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	if proxy.Transport, err = rest.TransportFor(rest.AnonymousClientConfig(node)); err != nil { // the caller's token is all that is passed on
		t.Fatal(err)
	}
	a.api = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.limit.Add(-1) >= 0 {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		if a.refused.Load() {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(a.api.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EKS": a.aws.URL, "AWS_ENDPOINT_URL_STS": a.aws.URL, "AWS_ENDPOINT_URL_SSO": a.aws.URL, "AWS_ENDPOINT_URL_SSO_OIDC": a.aws.URL, "AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return a
}

// answer is eks.amazonaws.com, sts.amazonaws.com, and the portal of SSO.
func (a *account) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.fault != "":
		w.Header().Set("X-Amzn-ErrorType", a.fault)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":%q,"message":"no"}`, a.fault)
	case r.URL.Path == "/federation/credentials" && a.loggedIn.Load(): // for one call: nobody waits an hour here
		fmt.Fprintf(w, `{"roleCredentials":{"accessKeyId":%q,"secretAccessKey":"secret","sessionToken":"x","expiration":%d}}`, keyID, time.Now().UnixMilli())
	case r.URL.Path == "/federation/credentials":
		w.Header().Set("X-Amzn-ErrorType", "UnauthorizedException")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Session token not found or invalid"}`)
	case r.URL.Path == "/clusters/"+clusterName:
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.api.Certificate().Raw})
		_ = json.NewEncoder(w).Encode(map[string]any{"cluster": map[string]any{
			"name": clusterName, "status": "ACTIVE", "version": "1.37", "endpoint": a.api.URL,
			"certificateAuthority": map[string]string{"data": base64.StdEncoding.EncodeToString(ca)},
		}})
	case strings.HasPrefix(r.URL.Path, entriesPath):
		a.answerEntries(w, r)
	case strings.HasPrefix(r.URL.Path, "/clusters/"):
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"No cluster found"}`)
	default: // GetCallerIdentity, posted by the SDK or presigned in a token
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>%s</Arn><UserId>x</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, arn)
	}
}

// review says whose a token is, and what the access entry gives them.
func (a *account) review(token string) authenticationv1.TokenReviewStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[token] = true
	if err := authenticate(token); err != nil || a.unknown {
		return authenticationv1.TokenReviewStatus{Error: fmt.Sprint("not authenticated: ", err)}
	}
	return authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{Username: a.user, Groups: append([]string{"system:authenticated"}, a.groups...)}}
}

// authenticate does with a token what EKS's webhook does (aws-iam-authenticator,
// pkg/token, Verify): it is a presigned call for this cluster, signed by somebody
// not long ago, and STS answers it.
func authenticate(token string) error {
	token, ok := strings.CutPrefix(token, "k8s-aws-v1.")
	if !ok {
		return fmt.Errorf("not a token of EKS")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return err
	}
	signed, err := url.Parse(string(raw))
	if err != nil {
		return err
	}
	q := signed.Query()
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	switch {
	case q.Get("Action") != "GetCallerIdentity", !strings.HasPrefix(q.Get("X-Amz-Credential"), keyID+"/"), q.Get("X-Amz-Signature") == "":
		return fmt.Errorf("not a presigned GetCallerIdentity: %s", signed)
	case !strings.Contains(q.Get("X-Amz-SignedHeaders"), "x-k8s-aws-id"):
		return fmt.Errorf("the cluster is not signed: %s", q.Get("X-Amz-SignedHeaders"))
	case time.Since(at).Abs() > 15*time.Minute:
		return fmt.Errorf("the token is of %s", at)
	}
	call, err := http.NewRequestWithContext(context.Background(), http.MethodGet, signed.String(), nil)
	if err != nil {
		return err
	}
	call.Header.Set("x-k8s-aws-id", clusterName)
	answer, err := http.DefaultClient.Do(call)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("STS says %s", answer.Status)
	}
	return nil
}
