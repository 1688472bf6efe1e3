package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"sysnerd/spelling"
)

// configFlag names the file to read.
const configFlag = "config"

// Value is a setting as it is in force.
type Value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // "flag --listen", "environment SYSNERD_LISTEN", "FILE:LINE", "default"
}

// AddFlags gives a command --config, and a flag for each of keys; no keys
// means all settings.
func AddFlags(flags *pflag.FlagSet, keys ...string) {
	flags.String(configFlag, "", "configuration `file` (searched: "+strings.Join(searched(), ", ")+")")
	for _, s := range Settings() {
		if len(keys) == 0 || slices.Contains(keys, s.Key) {
			// All are strings, so that one place says what is wrong with a value.
			flags.String(s.Flag(), s.Default, s.Usage)
		}
	}
}

// Load reads the configuration of a command whose flags are parsed. Its error
// is for a person: what is wrong where, and what cures it.
func Load(flags *pflag.FlagSet) (*Config, error) {
	v := viper.New()
	for _, s := range Settings() {
		v.SetDefault(s.Key, s.Default)
		// Bound by name: viper would not look up nested keys by itself.
		if err := v.BindEnv(s.Key, s.Variable()); err != nil {
			return nil, err
		}
		if f := flags.Lookup(s.Flag()); f != nil {
			if err := v.BindPFlag(s.Key, f); err != nil {
				return nil, err
			}
		}
	}
	v.AllowEmptyEnv(true) // SYSNERD_URL= takes back what the file says

	named, err := flags.GetString(configFlag)
	if err != nil {
		return nil, err
	}
	file, err := findFile(named)
	if err != nil {
		return nil, err
	}
	if err := file.mergeInto(v); err != nil {
		return nil, err
	}
	if err := checkEnvironment(os.Environ()); err != nil {
		return nil, err
	}

	c := new(Config)
	for _, s := range Settings() {
		value := Value{Key: s.Key, Value: v.GetString(s.Key), Source: source(s, flags, file)}
		if err := s.parse(c, value.Value); err != nil {
			return nil, value.complain(s, err)
		}
		c.values = append(c.values, value)
	}
	if c.Sandbox.Lifetime > c.Sandbox.MaxLife {
		life, longest := c.value("sandbox.lifetime"), c.value("sandbox.max_life")
		return nil, fmt.Errorf("sandbox.lifetime %s (%s) is longer than sandbox.max_life %s (%s); shorten the first or lengthen the second",
			life.Value, life.Source, longest.Value, longest.Source)
	}
	return c, nil
}

// Values returns every setting as it is in force, and where it came from.
func (c *Config) Values() []Value { return slices.Clone(c.values) }

func (c *Config) value(key string) Value {
	return c.values[slices.IndexFunc(c.values, func(v Value) bool { return v.Key == key })]
}

// source says which source won, by viper's own order.
func source(s Setting, flags *pflag.FlagSet, file *file) string {
	if flags.Changed(s.Flag()) {
		return "flag --" + s.Flag()
	}
	if _, ok := os.LookupEnv(s.Variable()); ok {
		return "environment " + s.Variable()
	}
	if line, ok := file.lines[s.Key]; ok {
		return file.path + ":" + strconv.Itoa(line)
	}
	return "default"
}

func (v Value) complain(s Setting, err error) error {
	if errors.Is(err, errWant) {
		return fmt.Errorf("%s: %q (%s) is not %s", v.Key, v.Value, v.Source, s.want)
	}
	return fmt.Errorf("%s: %q (%s): %w; give %s", v.Key, v.Value, v.Source, err, s.want)
}

// checkEnvironment refuses variables that look like settings and are none: a
// misspelt one would be passed over in silence.
func checkEnvironment(environ []string) error {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Variable())
	}
	slices.Sort(environ)
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) {
			return fmt.Errorf("environment variable %s is not a setting; did you mean %s? else unset it", name, spelling.Nearest(name, known))
		}
	}
	return nil
}
