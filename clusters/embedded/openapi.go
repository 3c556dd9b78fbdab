package embedded

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	restful "github.com/emicklei/go-restful/v3"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/server/routes"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/common/restfuladapter"
	"k8s.io/kube-openapi/pkg/handler3"
)

const (
	openAPIv2 = "/openapi/v2"
	openAPIv3 = "/openapi/v3"
)

// openAPI serves the documents that describe kube-apiserver's own APIs, made by upstream's
// code as upstream's are, but each when somebody asks for it. Upstream makes all of them
// before it is ready and keeps them; here nobody asks but a kubectl that explains or
// validates, and it asks for one group.
type openAPI struct {
	routes.OpenAPI
	served *restful.Container
	v2     func() http.Handler

	mu     sync.Mutex
	groups map[string]func() http.Handler // by path: "apis/apps/v1"
}

// deferOpenAPI tells upstream not to make the documents of a server, nor to keep what they
// are made of.
func deferOpenAPI(config *genericapiserver.Config) {
	config.SkipOpenAPIInstallation = true
	named := func(r common.Route) (string, []string, error) {
		route, ok := r.(*restfuladapter.RouteAdapter)
		if !ok {
			return "", nil, fmt.Errorf("%T is no route of go-restful", r)
		}
		//lint:ignore SA1019 this is where upstream's configuration has its names; what replaces the field is being made of it
		return config.OpenAPIConfig.GetOperationIDAndTags(route.Route)
	}
	// Without one, kube-openapi's builder sets a closure over all that it has read, which
	// then lives as long as the configuration does (builder/openapi.go, newOpenAPI).
	config.OpenAPIConfig.GetOperationIDAndTagsFromRoute, config.OpenAPIV3Config.GetOperationIDAndTagsFromRoute = named, named
}

// forgetDefinitions lets go of the schemas of every type that is compiled in. They are made
// again for each document that somebody asks for. The server must be prepared.
func forgetDefinitions(config *genericapiserver.Config) { config.OpenAPIV3Config.Definitions = nil }

// serveOpenAPI registers the documents of a server whose configuration deferOpenAPI has
// changed.
func serveOpenAPI(s *genericapiserver.GenericAPIServer, config *genericapiserver.Config) {
	o := &openAPI{
		OpenAPI: routes.OpenAPI{Config: config.OpenAPIConfig, V3Config: config.OpenAPIV3Config},
		served:  s.Handler.GoRestfulContainer, groups: map[string]func() http.Handler{},
	}
	o.v2 = sync.OnceValue(func() http.Handler {
		m := mux.NewPathRecorderMux(openAPIv2)
		o.InstallV2(o.served, m)
		return m
	})
	m := s.Handler.NonGoRestfulMux
	m.HandleFunc(openAPIv2, func(w http.ResponseWriter, r *http.Request) { o.v2().ServeHTTP(w, r) })
	m.HandleFunc(openAPIv3, o.list)
	m.HandlePrefix(openAPIv3+"/", http.HandlerFunc(o.group))
}

// list tells which documents there are. Upstream's URLs have a hash of the document, which
// saves a client to ask whether it has changed; without one he asks.
func (o *openAPI) list(w http.ResponseWriter, _ *http.Request) {
	all := handler3.OpenAPIV3Discovery{Paths: map[string]handler3.OpenAPIV3DiscoveryGroupVersion{}}
	for _, ws := range o.served.RegisteredWebServices() {
		path := strings.TrimPrefix(ws.RootPath(), "/")
		all.Paths[path] = handler3.OpenAPIV3DiscoveryGroupVersion{ServerRelativeURL: openAPIv3 + "/" + path}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // who does not listen any more is told nothing
}

func (o *openAPI) group(w http.ResponseWriter, r *http.Request) {
	document := o.document(strings.TrimPrefix(r.URL.Path, openAPIv3+"/"))
	if document == nil {
		http.NotFound(w, r)
		return
	}
	document().ServeHTTP(w, r)
}

// document makes the document of one group and version, once; nil where there is none.
func (o *openAPI) document(path string) func() http.Handler {
	o.mu.Lock()
	defer o.mu.Unlock()
	if made := o.groups[path]; made != nil {
		return made
	}
	for _, ws := range o.served.RegisteredWebServices() {
		if ws.RootPath() == "/"+path {
			o.groups[path] = sync.OnceValue(func() http.Handler {
				m := mux.NewPathRecorderMux(openAPIv3)
				o.InstallV3(restful.NewContainer().Add(ws), m)
				return m
			})
		}
	}
	return o.groups[path]
}
