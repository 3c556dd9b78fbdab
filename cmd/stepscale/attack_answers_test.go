package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

var quietLog = log.New(io.Discard, "", 0)

// answer is what a hostile API server says to the requests whose path has at in it.
type answer struct {
	name, at string
	give     func(w http.ResponseWriter, r *http.Request, elsewhere string)
	http2    bool
	raw      func() (url string, stop func()) // a server that does not even speak HTTP
}

type giver = func(w http.ResponseWriter, r *http.Request, elsewhere string)

// status answers with a code and a body; JSON is what it is said to be.
func status(code int, body string, headers ...string) giver {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// failure is a Status of the API with a reason and a message, which may be long.
func failure(code int, reason, message string, headers ...string) giver {
	body := sync.OnceValue(func() string {
		cause := map[string]any{"reason": message, "message": message, "field": message}
		return asJSON(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
			"details": map[string]any{"name": message[:min(len(message), 40)], "kind": "pods", "causes": []any{cause}}})
	})
	return func(w http.ResponseWriter, r *http.Request, elsewhere string) {
		status(code, body(), headers...)(w, r, elsewhere)
	}
}

// endless repeats text until the other side has enough, with a pause between.
func endless(pause time.Duration, begin, text string) giver {
	return func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, begin)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
			if pause > 0 {
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}
	}
}

func redirect(code int, to string) giver {
	return func(w http.ResponseWriter, r *http.Request, elsewhere string) {
		w.Header().Set("Location", strings.ReplaceAll(to, "{elsewhere}", elsewhere))
		w.WriteHeader(code)
	}
}

func list(kind, meta, items string) string {
	return fmt.Sprintf(`{"kind":%q,"apiVersion":"v1","metadata":%s,"items":%s}`, kind, meta, items)
}

const screenful = "a\x1b]52;c;aGVsbG8=\x07\x1b[2J\u009b31m\r\u202e\u200b\x00b"

var named = list("NamespaceList", "{}", `[{"metadata":{"name":"a\u001b]52;c;aGk=\u0007\u202e","labels":{"a\u001b[2J":"b"}}}]`)

// answers are made when they are needed: the program is this binary, too.
func answers() []answer {
	large := strings.Repeat("A", 30<<20)
	return []answer{
		{name: "a sound one", at: "/nothing", give: status(200, "{}")},
		{name: "a message of 30 MB", give: failure(403, "Forbidden", large)}, {name: "a message of 30 MB from the HPA", at: "horizontalpodautoscalers", give: failure(500, "InternalError", large)},
		{name: "escapes in 400", give: failure(400, "BadRequest", screenful)}, {name: "escapes in 403", give: failure(403, "Forbidden", screenful)}, {name: "escapes in 404", at: "horizontalpodautoscalers", give: failure(404, "NotFound", screenful)},
		{name: "escapes in 409", at: "namespaces", give: failure(409, "AlreadyExists", screenful)}, {name: "escapes in 422", at: "namespaces", give: failure(422, "Invalid", screenful)}, {name: "escapes in 500", at: "/apis", give: failure(500, "InternalError", screenful)},
		{name: "escapes in text", give: status(500, screenful, "Content-Type", "text/plain")}, {name: "escapes in the version", at: "/version", give: status(200, `{"gitVersion":"v1.34.0\u001b]52;c;aGk=\u0007\u202e"}`)},
		{name: "escapes in warnings", give: status(200, "{}", "Warning", `299 - "a\x1b]52;c;aGk=\x07"`)}, {name: "escapes in names", at: "/api/v1/namespaces", give: status(200, named)},
		{name: "an endless body", give: endless(0, "", strings.Repeat("a", 64<<10))}, {name: "an endless list", at: "namespaces", give: endless(0, `{"kind":"List","items":[`, strings.Repeat(`{"metadata":{"name":"a"}},`, 1000))}, {name: "an endless version", at: "/version", give: endless(0, `{"gitVersion":"`, strings.Repeat("9", 64<<10))},
		{name: "a drip", give: endless(time.Second, "{", " ")}, {name: "silence", give: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}, {name: "silence about the HPA", at: "horizontalpodautoscalers", give: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }},
		{name: "to elsewhere with 302", give: redirect(302, "{elsewhere}/x")}, {name: "to elsewhere with 307", give: redirect(307, "{elsewhere}/x")}, {name: "to elsewhere with 308", at: "horizontalpodautoscalers", give: redirect(308, "{elsewhere}/x")}, {name: "in circles", give: redirect(302, "/version")},
		{name: "to a file", give: redirect(302, "file:///etc/passwd")}, {name: "to an escape", give: redirect(302, "/\x1b]52;c;aGk=\x07")}, {name: "to nowhere", give: redirect(302, "")},
		{name: "401", give: failure(401, "Unauthorized", "no")}, {name: "401 with a challenge", give: status(401, "", "WWW-Authenticate", `Basic realm="`+"\t"+`x"`)}, {name: "403 without a body", give: status(403, "")}, {name: "409", at: "namespaces", give: failure(409, "Conflict", "no")}, {name: "410", give: failure(410, "Expired", "too old")},
		{name: "429 for ever", give: failure(429, "TooManyRequests", "later", "Retry-After", "999999999")}, {name: "429 for -1", give: failure(429, "TooManyRequests", "later", "Retry-After", "-1")}, {name: "429 for x", give: failure(429, "TooManyRequests", "later", "Retry-After", "x")}, {name: "503 for a second, again and again", give: failure(503, "ServiceUnavailable", "later", "Retry-After", "1")},
		{name: "500 with HTML", give: status(500, "<html><script>alert(1)</script>", "Content-Type", "text/html")}, {name: "200 with HTML", give: status(200, "<html>login</html>", "Content-Type", "text/html")}, {name: "204", give: status(204, "")}, {name: "nothing", give: status(200, "")}, {name: "a code of 999", give: status(999, "{}")},
		{name: "half of JSON", give: status(200, "{")}, {name: "null", give: status(200, "null")}, {name: "an array", give: status(200, "[]")}, {name: "a number", give: status(200, "1e999")}, {name: "deep JSON", give: status(200, strings.Repeat(`{"a":`, 200_000))}, {name: "another kind", give: status(200, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}`)},
		{name: "items of null", at: "/namespaces", give: status(200, list("List", `{}`, "[null,1,{}]"))}, {name: "huge numbers", at: "/namespaces", give: status(200, list("List", `{"remainingItemCount":-9223372036854775809,"resourceVersion":"x"}`, "[]"))}, {name: "a list that goes on", at: "/api/v1/", give: status(200, list("List", `{"continue":"more","remainingItemCount":-1}`, "[]"))},
		{name: "a gzip bomb", give: bombGiver}, {name: "protobuf", give: status(200, "k8s\x00\xff\xff\xff\xff\xff", "Content-Type", "application/vnd.kubernetes.protobuf")}, {name: "an unknown content type", give: status(200, "{}", "Content-Type", "\"")}, {name: "headers of 5 MB", give: status(200, "{}", "X-A", strings.Repeat("a", 5<<20))},
		{name: "5,000 groups", at: "/apis", give: groupGiver}, {name: "resources with escapes", at: "/apis/autoscaling/v2", give: status(200, `{"kind":"APIResourceList","groupVersion":"autoscaling/v2","resources":[{"name":"\u001b[2J","kind":"\u001b[2J"},{}]}`)},
		{name: "an HPA without bodies", at: "horizontalpodautoscalers", give: status(200, strings.Replace(soundHPA, `"type":"Resource","resource"`, `"type":"External","nothing"`, 1))}, {name: "an HPA of huge numbers", at: "horizontalpodautoscalers", give: status(200, strings.ReplaceAll(soundHPA, ":2", ":99999999999"))}, {name: "an HPA of negative numbers", at: "horizontalpodautoscalers", give: status(200, strings.ReplaceAll(soundHPA, ":2", ":-2"))},
		{name: "an HPA of escapes", at: "horizontalpodautoscalers", give: status(200, strings.ReplaceAll(soundHPA, `"web"`, `"web\u001b]52;c;aGk=\u0007"`))}, {name: "a scale of nothing", at: "/scale", give: status(200, `{"spec":null}`)}, {name: "watch events of nothing", at: "/pods", give: endless(100*time.Millisecond, "", `{"type":"ADDED","object":null}{"type":"\u001b[2J","object":{}}`)},
		{name: "half a body", give: halfGiver}, {name: "hanging up", give: func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }}, {name: "half a body over HTTP/2", http2: true, give: halfGiver}, {name: "hanging up over HTTP/2", http2: true, give: func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }},
		{name: "garbage for TLS", raw: speak(nil, "\x00\xff\x16\x03garbage")}, {name: "HTTP for HTTPS", raw: speak(nil, "HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request\x1b[2J")}, {name: "SSH", raw: speak(nil, "SSH-2.0-OpenSSH_9\r\n")}, {name: "garbage for HTTP/2", raw: speak([]string{"h2"}, strings.Repeat("\xff", 1<<16))},
		{name: "hanging up HTTP/2", raw: speak([]string{"h2"}, "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d")}, {name: "garbage for HTTP/1", raw: speak([]string{"http/1.1"}, "HTTP/9.9 \x1b[2J\r\n\r\n")}, {name: "a header without end", raw: speak([]string{"http/1.1"}, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 2<<20))},
	}
}

// bombGiver answers with a megabyte that becomes a gigabyte.
func bombGiver(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	var block bytes.Buffer
	z := gzip.NewWriter(&block)
	_, _ = z.Write(bytes.Repeat([]byte{' '}, 16<<20))
	_ = z.Close()
	for range 64 { // gzip streams one after another are one
		if _, err := w.Write(block.Bytes()); err != nil {
			return
		}
	}
}

func groupGiver(w http.ResponseWriter, _ *http.Request, _ string) {
	var b strings.Builder
	b.WriteString(`{"kind":"APIGroupList","apiVersion":"v1","groups":[`)
	for i := range 5000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"g%d\u001b[2J.example","versions":[{"groupVersion":"g%d/v1","version":"v1"}]}`, i, i)
	}
	_, _ = io.WriteString(w, b.String()+"]}")
}

func halfGiver(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Length", "5000")
	_, _ = io.WriteString(w, `{"kind":"List","items":[`)
	panic(http.ErrAbortHandler)
}

// speak says something to whoever connects, over TLS where protocols are agreed on.
func speak(protocols []string, text string) func() (string, func()) {
	return func() (string, func()) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		url := "https://" + l.Addr().String()
		if protocols != nil {
			lender := httptest.NewTLSServer(nil)
			lender.Close()
			l = tls.NewListener(l, &tls.Config{Certificates: lender.TLS.Certificates, NextProtos: protocols})
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					_, _ = io.CopyN(io.Discard, c, 1)
					_, _ = io.WriteString(c, text)
					_ = c.Close()
				}()
			}
		}()
		return url, func() { _ = l.Close() }
	}
}
