package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"sysnerd/spelling"
)

// fileName is what a configuration file is called where it is searched.
const fileName = "sysnerd.yaml"

// fileLimit is far above any honest configuration file, in bytes.
const fileLimit = 256 << 10

// file is a configuration file. The zero file has no settings.
type file struct {
	path  string
	text  []byte
	lines map[string]int // key → line
}

// searched names the files that are looked for, the first found is read.
func searched() []string {
	user := cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(os.Getenv("HOME"), ".config"))
	return []string{fileName, filepath.Join(user, "sysnerd", fileName), "/etc/sysnerd/" + fileName}
}

// findFile reads the named file, which must be there, or the first one found.
// Viper's own search would also take a program called "sysnerd" for one.
func findFile(named string) (*file, error) {
	if named != "" {
		f, err := readFile(named)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("configuration file %s does not exist; name another with --config, or leave it out", named)
		}
		return f, err
	}
	for _, path := range searched() {
		if f, err := readFile(path); !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return new(file), nil
}

func readFile(path string) (*file, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("configuration file %s cannot be read: %w; mend that, or name another with --config", path, err)
	}
	if len(text) > fileLimit {
		return nil, fmt.Errorf("configuration file %s has %d bytes, more than %d; is it the right file?", path, len(text), fileLimit)
	}
	f := &file{path: path, text: text, lines: map[string]int{}}
	return f, f.check()
}

// check finds every key of the file and refuses those that are no settings.
func (f *file) check() error {
	var document yaml.Node
	if err := yaml.Unmarshal(f.text, &document); err != nil {
		return f.complain(0, "is not YAML: %s; mend that line", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil // empty, or comments only
	}
	return f.checkMapping("", document.Content[0])
}

func (f *file) checkMapping(prefix string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		what := "the file"
		if prefix != "" {
			what = strings.TrimSuffix(prefix, ".")
		}
		return f.complain(n.Line, "%s has to hold settings, a line each, as in %s", what, example(prefix))
	}
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := prefix + name.Value
		if _, twice := f.lines[key]; twice {
			return f.complain(name.Line, "%s is set twice, first in line %d; keep one", key, f.lines[key])
		}
		f.lines[key] = name.Line
		if isGroup(key) {
			if err := f.checkMapping(key+".", value); err != nil {
				return err
			}
			continue
		}
		s, ok := settingOf(key)
		switch {
		case !ok || strings.Contains(name.Value, "."):
			return f.complain(name.Line, "%s is not a setting; %s", key, suggestion(key, ok))
		case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
			return f.complain(name.Line, "%s has no single value; give %s", key, s.want)
		}
	}
	return nil
}

// mergeInto hands the file to viper, below flags and environment.
func (f *file) mergeInto(v *viper.Viper) error {
	if f.path == "" {
		return nil
	}
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(f.text)); err != nil {
		return f.complain(0, "is not YAML: %v", err)
	}
	return nil
}

func (f *file) complain(line int, format string, args ...any) error {
	where := f.path
	if line > 0 {
		where = fmt.Sprintf("%s:%d", f.path, line)
	}
	return fmt.Errorf("configuration file %s: %w", where, fmt.Errorf(format, args...))
}

// isGroup says whether settings lie below key.
func isGroup(key string) bool {
	for _, s := range Settings() {
		if strings.HasPrefix(s.Key, key+".") {
			return true
		}
	}
	return false
}

// example is a setting below prefix, as it is written there.
func example(prefix string) string {
	for _, s := range Settings() {
		if below, ok := strings.CutPrefix(s.Key, prefix); ok {
			return fmt.Sprintf("%q", below+": "+s.Default)
		}
	}
	return ""
}

// suggestion says what to write instead of key. Known is a key whose name is
// right, but written in one word.
func suggestion(key string, known bool) string {
	if known {
		group, name, _ := strings.Cut(key, ".")
		return fmt.Sprintf("write %s: and below it, indented, %s:", group, name)
	}
	var keys []string
	for _, s := range Settings() {
		keys = append(keys, s.Key)
	}
	return fmt.Sprintf("did you mean %s?", spelling.Nearest(key, keys))
}
