package trace

import "strings"

// Writes tells whether the call asks for a change.
func (c Call) Writes() bool {
	switch c.Verb {
	case "POST", "PUT", "PATCH", "DELETE":
		return true
	}
	return false
}

// OK tells whether the call did what it asked for.
func (c Call) OK() bool { return c.Status > 0 && c.Status < 400 }

// Resource is what the call is about, with its subresource and without names:
// "pods/binding" of ".../namespaces/web/pods/web-1/binding".
func (c Call) Resource() string { return resource(c.Path) }

// Resource is what is watched.
func (w Watch) Resource() string { return resource(w.Path) }

func resource(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + strings.Join(parts[2:], "/")
	}
	return parts[0]
}
