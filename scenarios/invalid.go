package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	validation "k8s.io/apimachinery/pkg/util/validation/field"
)

// invalid tells what the API server's own validation says, where it is written.
func (r *reader) invalid(o object, e *validation.Error) {
	msg := map[validation.ErrorType]string{
		validation.ErrorTypeRequired:     "꼭 있어야 하는 필드가 없습니다",
		validation.ErrorTypeInvalid:      "API 서버가 거절하는 값입니다",
		validation.ErrorTypeTypeInvalid:  "API 서버가 거절하는 값입니다",
		validation.ErrorTypeNotSupported: "API 서버가 모르는 값입니다",
		validation.ErrorTypeNotFound:     "가리키는 것이 없습니다",
		validation.ErrorTypeForbidden:    "API 서버가 여기에서 받지 않는 필드입니다",
		validation.ErrorTypeDuplicate:    "같은 값이 두 번 있습니다",
		validation.ErrorTypeTooLong:      "너무 깁니다",
		validation.ErrorTypeTooMany:      "너무 많습니다",
	}[e.Type]
	if msg == "" {
		msg = "API 서버가 거절합니다"
	}
	where := e.Field
	if value := quoted(e.BadValue); value != "" && e.Type != validation.ErrorTypeRequired && e.Type != validation.ErrorTypeForbidden {
		where += ": " + value
	}
	p := Problem{File: r.file, Line: o.line(fieldPath(e.Field)...), Msg: msg + ": " + where, Hint: reason(e.Detail)}
	for _, told := range r.problems { // by the table, or twice by upstream: for a field and for what stands in it
		if told.Line == p.Line && strings.Contains(told.Msg, e.Field) {
			return
		}
	}
	r.problems = append(r.problems, p)
}

// quoted is a value as it is written; empty for lists and mappings.
func quoted(v any) string {
	switch v := v.(type) {
	case resource.Quantity:
		return v.String()
	case *resource.Quantity:
		if v == nil {
			return ""
		}
		return v.String()
	}
	at := reflect.ValueOf(v)
	for at.Kind() == reflect.Pointer && !at.IsNil() {
		at = at.Elem()
	}
	if at.CanInt() || at.Kind() == reflect.Bool || at.Kind() == reflect.String {
		return fmt.Sprint(at.Interface())
	}
	return ""
}

// reasons are what upstream's validation says most often, in Korean. The numbers and
// the names in them are upstream's.
var reasons = []struct {
	said *regexp.Regexp
	hint string
}{
	{regexp.MustCompile("^must be greater than or equal to `?([\\w.-]+)`?$"), "$1 이상의 수를 적어 주십시오."},
	{regexp.MustCompile(`^must be less than or equal to (\d+)$`), "$1 이하의 수를 적어 주십시오."},
	{regexp.MustCompile(`^must be greater than (\w+)$`), "$1보다 큰 수를 적어 주십시오."},
	{regexp.MustCompile(`^must be positive$`), "0보다 큰 값을 적어 주십시오."},
	{regexp.MustCompile(`^must be between (\d+) and (\d+), inclusive$`), "$1부터 $2까지의 수를 적어 주십시오."},
	{regexp.MustCompile(`^must be less than or equal to (\S+) limit of (\S+)$`), "requests는 limits보다 클 수 없습니다: $1의 limits는 $2입니다."},
	{regexp.MustCompile(`^supported values: (.+)$`), "쓸 수 있는 값: $1"},
	{regexp.MustCompile(`^may not set both a target raw value and a target utilization$`), "averageUtilization과 averageValue 가운데 하나만 적어 주십시오."},
	{regexp.MustCompile(`^may not set both a target value for metric and a per-pod target$`), "value와 averageValue 가운데 하나만 적어 주십시오."},
	{regexp.MustCompile(`^must set either a target raw value or a target utilization$`), "averageUtilization이나 averageValue를 적어 주십시오."},
	{regexp.MustCompile(`^must specify a positive target averageValue$`), "0보다 큰 averageValue를 적어 주십시오."},
	{regexp.MustCompile(`^must specify at least one Object or External metric to support scaling to zero replicas$`), "minReplicas 0은 Object나 External 메트릭이 있을 때만 쓸 수 있습니다. minReplicas에 1 이상의 수를 적거나 그런 메트릭을 추가해 주십시오."},
	{regexp.MustCompile(`^must populate information for the given metric source$`), "type에 적은 메트릭의 내용을 적어 주십시오."},
	{regexp.MustCompile(`^must populate the given metric source only$`), "type에 적은 메트릭의 내용만 남겨 주십시오."},
	{regexp.MustCompile("^`selector` does not match template `labels`$"), "selector의 레이블을 template.metadata.labels와 같게 적어 주십시오."},
	{regexp.MustCompile(`RFC 1123 subdomain`), "영문 소문자, 숫자, -(하이픈), .(점)만 쓸 수 있고, 영문 소문자나 숫자로 시작하고 끝나야 합니다."},
	{regexp.MustCompile(`RFC 1123 label`), "영문 소문자, 숫자, -(하이픈)만 쓸 수 있고, 영문 소문자나 숫자로 시작하고 끝나야 합니다."},
	{regexp.MustCompile(`^must be set and greater than (\d+)$`), "$1보다 큰 수를 적어 주십시오."},
}

// reason is a hint of what upstream says; its own words where we have none.
func reason(detail string) string {
	if detail = strings.TrimSpace(detail); detail == "" {
		return "kubectl explain으로 필드의 뜻을 확인해 주십시오."
	}
	for _, known := range reasons {
		if m := known.said.FindStringSubmatchIndex(detail); m != nil {
			return strings.Replace(string(known.said.ExpandString(nil, known.hint, detail, m)), "zero", "0", 1)
		}
	}
	return "API 서버가 말하는 이유: " + detail
}
