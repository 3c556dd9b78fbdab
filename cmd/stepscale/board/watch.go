package board

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

var (
	errCut = errors.New("the connection was cut")
	// emptyWatch is what client-go gives in the place of a watch when the connection is cut
	// or nobody answers (client-go, rest/request.go, newStreamWatcher).
	emptyWatch = reflect.TypeOf(watch.NewEmptyWatch())
)

// trouble says in Korean, and without an address, why the cluster is not heard.
func trouble(err error) string {
	switch {
	case apierrors.IsUnauthorized(err):
		return "신원이 확인되지 않습니다. 토큰이 만료되었을 수 있습니다"
	case apierrors.IsForbidden(err):
		return "볼 권한이나 쓸 권한이 없습니다"
	case apierrors.IsTooManyRequests(err):
		return "API 서버가 바쁩니다"
	case apierrors.IsNotFound(err):
		return "네임스페이스가 없습니다"
	}
	return "연결이 끊겼습니다"
}

// again is how long a watch that broke waits before the next one: a class does not wait
// for half a minute after the API server is back.
func again() wait.Backoff {
	return wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 8, Cap: 3 * time.Second}
}

// selection is what one list and its watch ask for.
type selection struct {
	namespace string // empty for all
	fields    fields.Set
	labels    labels.Selector // nil for any
}

func (s selection) into(o metav1.ListOptions) metav1.ListOptions {
	o.FieldSelector = s.fields.AsSelector().String()
	if s.labels != nil {
		o.LabelSelector = s.labels.String()
	}
	return o
}

// configMaps asks for ConfigMaps.
func (s selection) configMaps(kube kubernetes.Interface) cache.ListWatch {
	return s.of(kube, "configmaps", func() runtime.Object { return &corev1.ConfigMapList{} })
}

// namespaces asks for namespaces.
func (s selection) namespaces(kube kubernetes.Interface) cache.ListWatch {
	return s.of(kube, "namespaces", func() runtime.Object { return &corev1.NamespaceList{} })
}

// of asks for a resource of the core group. Where the API server is too busy, client-go would
// wait and ask ten times before anybody hears of it: a screen is to say so.
func (s selection) of(kube kubernetes.Interface, resource string, list func() runtime.Object) cache.ListWatch {
	get := func(o metav1.ListOptions) *rest.Request {
		o = s.into(o)
		return kube.CoreV1().RESTClient().Get().NamespaceIfScoped(s.namespace, s.namespace != "").Resource(resource).
			VersionedParams(&o, scheme.ParameterCodec).MaxRetries(0)
	}
	return cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			all := list()
			return all, get(o).Do(ctx).Into(all)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			return get(o).Watch(ctx)
		},
	}
}

// obey waits as long as the API server asks for before the next request.
func obey(ctx context.Context, err error) {
	if s, asked := apierrors.SuggestsClientDelay(err); asked {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(s) * time.Second):
		}
	}
}

// follow keeps a mirror as the cluster has it until the context ends, over breaks of the
// connection and restarts of the API server. up is told of what a request ended with: nil
// where it was answered.
func follow(ctx context.Context, kube kubernetes.Interface, lw cache.ListWatch, of runtime.Object, to cache.ReflectorStore, up func(error)) {
	list, open := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		got, err := list(ctx, o)
		up(err)
		obey(ctx, err)
		return got, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		got, err := open(ctx, o)
		if err == nil && reflect.TypeOf(got) == emptyWatch {
			err = errCut
		}
		if up(err); err != nil {
			obey(ctx, err)
			return nil, err
		}
		return got, nil
	}
	quiet := klog.NewContext(ctx, logr.Discard()) // a screen is no place for logs
	pause := again()
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(&lw, kube), of, to, cache.ReflectorOptions{Name: "class", Backoff: &pause})
	for wait := again(); ctx.Err() == nil; {
		began := time.Now()
		if err := r.ListAndWatchWithContext(quiet); err != nil && !ended(err) {
			up(err)
		}
		if time.Since(began) > time.Second {
			wait = again()
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait.Step()):
		}
	}
}

// ended tells of a watch that was closed, which watches are now and then.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// mirror holds what was read of each object, by namespace and name. It is what a reflector
// writes into.
type mirror[V any] struct {
	read    func(metav1.Object) V
	changed func()

	mu    sync.Mutex
	all   map[cache.ObjectName]V
	ready bool // all that there is has been read once
}

func newMirror[V any](read func(metav1.Object) V, changed func()) *mirror[V] {
	return &mirror[V]{read: read, changed: changed, all: map[cache.ObjectName]V{}}
}

// Add takes in an object.
func (m *mirror[V]) Add(obj any) error { return m.Update(obj) }

// Update takes in an object.
func (m *mirror[V]) Update(obj any) error {
	o, ok := obj.(metav1.Object)
	if !ok {
		return nil
	}
	v := m.read(o)
	m.mu.Lock()
	m.all[cache.MetaObjectToName(o)] = v
	m.mu.Unlock()
	m.changed()
	return nil
}

// Delete forgets an object.
func (m *mirror[V]) Delete(obj any) error {
	name, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return err
	}
	m.mu.Lock()
	delete(m.all, name)
	m.mu.Unlock()
	m.changed()
	return nil
}

// Replace takes in all objects there are.
func (m *mirror[V]) Replace(objects []any, _ string) error {
	all := map[cache.ObjectName]V{}
	for _, obj := range objects {
		if o, ok := obj.(metav1.Object); ok {
			all[cache.MetaObjectToName(o)] = m.read(o)
		}
	}
	m.mu.Lock()
	m.all, m.ready = all, true
	m.mu.Unlock()
	m.changed()
	return nil
}

// Resync has nothing to do.
func (m *mirror[V]) Resync() error { return nil }

// each calls do with every object that there is, and tells whether all were read once.
func (m *mirror[V]) each(do func(cache.ObjectName, V)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, v := range m.all {
		do(name, v)
	}
	return m.ready
}

// data is a key of a ConfigMap.
func data(o metav1.Object, key string) (*corev1.ConfigMap, bool) {
	cm, ok := o.(*corev1.ConfigMap)
	return cm, ok && cm.Data[key] != ""
}
