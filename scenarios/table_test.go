package scenarios

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Forbidden are the names of fields that reach beyond a lesson's own namespace.
// They are told here a second time, without the table: the table may not drift.
var Forbidden = []string{
	"annotations", "finalizers", "ownerReferences", "generateName", "namespace",
	"hostNetwork", "hostPID", "hostIPC", "hostUsers", "hostPath", "hostPort", "hostIP", "hostAliases", "host",
	"nodeName", "tolerations", "schedulerName", "priorityClassName", "priority", "runtimeClassName", "preemptionPolicy", "schedulingGates",
	"serviceAccountName", "serviceAccount", "imagePullSecrets", "secretRef", "secretKeyRef", "secret", "projected",
	"csi", "nfs", "persistentVolumeClaim", "ephemeral", "devicePath", "volumeDevices", "resourceClaims", "claims",
	"procMount", "sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile", "localhostProfile", "add", "supplementalGroups",
	"externalIPs", "nodePort", "loadBalancerIP", "loadBalancerClass", "externalName", "healthCheckNodePort", "clusterIPs", "nvidia.com/gpu",
	"ephemeralContainers", "postStart", "shareProcessNamespace", "setHostnameAsFQDN", "binaryData",
}

// TestTable walks the table beside the API's own types: no field that it lets through,
// nor any below it, is forbidden, and it speaks of none that the API does not have.
func TestTable(t *testing.T) {
	for _, k := range slices.Concat(accepted, wide) {
		v, err := kinds().New(k.GroupVersionKind)
		if err != nil {
			t.Fatal(err)
		}
		lets(t, k.Kind, k.spec, reflect.TypeOf(v))
	}
}

// lets walks what a shape lets through of a type.
func lets(t *testing.T, path string, s shape, of reflect.Type) {
	of = element(of)
	switch s := s.(type) {
	case fields:
		members := membersOf(of)
		for name, below := range s {
			if slices.Contains(Forbidden, name) {
				t.Errorf("%s.%s is let through", path, name)
			}
			if of.Kind() == reflect.Map {
				continue
			}
			if members[name] == nil {
				t.Errorf("%s.%s is no field of %s", path, name, of)
				continue
			}
			lets(t, path+"."+name, below, members[name])
		}
	case each:
		lets(t, path+"[]", s.of, of)
	case anything:
		for name, member := range membersOf(of) {
			if slices.Contains(Forbidden, name) {
				t.Errorf("%s.%s is let through with all that is beside it", path, name)
			}
			if member != of {
				lets(t, path+"."+name, s, member)
			}
		}
	}
}

// element is what a pointer or a list is of.
func element(of reflect.Type) reflect.Type {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	return of
}

// membersOf are the fields of a type of the API, as JSON names them.
func membersOf(of reflect.Type) map[string]reflect.Type {
	members := map[string]reflect.Type{}
	if of.Kind() != reflect.Struct {
		return members
	}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		switch {
		case name == "" && of.Field(i).Anonymous:
			for n, m := range membersOf(element(of.Field(i).Type)) {
				members[n] = m
			}
		case name != "" && name != "-":
			members[name] = element(of.Field(i).Type)
		}
	}
	return members
}
