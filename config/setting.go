package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// Config is everything that an operator can decide.
type Config struct {
	Listen  string // host:port
	URL     string // scheme://host[:port], without a slash at the end; "" when not set
	Engine  string // auto, docker or local
	Runtime string // OCI runtime by the engine's name for it; "" leaves it to the engine
	User    string // name or uid; "" leaves it to the server
	Data    string // absolute
	Labs    string // absolute; "" means the labs in the binary
	Sandbox Sandbox
	Docker  Docker
	Log     Log

	values []Value
}

// Sandbox says how many sandboxes there may be, and for how long.
type Sandbox struct {
	Capacity int           // live ones at most; 0 means as many as fit in Budget
	Budget   int64         // bytes of memory for all together; 0 means three quarters of the machine's
	Lifetime time.Duration // of one
	MaxLife  time.Duration // of one, however often it is extended
	Idle     time.Duration // without a sign of its learner one ends; 0 means never
	Pool     int           // warm ones for each lab in demand
}

// Docker says where the Docker Engine is.
type Docker struct {
	Host string // as DOCKER_HOST; "" leaves it to that
}

// Log says what is logged, and how.
type Log struct {
	Level  slog.Level
	Format string // text or json
}

// Setting is one thing that an operator can decide.
type Setting struct {
	Key     string // "sandbox.capacity"
	Usage   string // what it is for
	Default string // in words where it depends on the machine
	want    string // what a value has to be, with an example
	parse   func(c *Config, text string) error
}

// Flag is the setting's name on the command line, without the dashes.
func (s Setting) Flag() string { return nameReplacer.Replace(s.Key) }

// Variable is the setting's name in the environment.
func (s Setting) Variable() string { return envPrefix + strings.ToUpper(envReplacer.Replace(s.Key)) }

const envPrefix = "SYSNERD_"

var (
	nameReplacer = strings.NewReplacer(".", "-", "_", "-")
	envReplacer  = strings.NewReplacer(".", "_")
)

// errWant says that a text is not what its setting wants; there is no more to say.
var errWant = errors.New("")

// Settings returns all settings in the order in which they are shown.
func Settings() []Setting {
	return []Setting{
		{"listen", "address to listen on", "127.0.0.1:8080",
			"an address as host:port, for example 127.0.0.1:8080",
			func(c *Config, text string) error { c.Listen = text; return checkAddress(text) }},
		{"url", "address that learners type, when it is not the one listened on", "",
			"an http or https address without a path, for example https://labs.example.org",
			func(c *Config, text string) (err error) { c.URL, err = parseURL(text); return err }},
		{"engine", "what runs the sandboxes: auto, docker or local", "auto",
			"auto, docker or local",
			func(c *Config, text string) error { return oneOf(&c.Engine, text, "auto", "docker", "local") }},
		{"runtime", "OCI runtime of the sandboxes, such as runsc (gVisor): on Docker by its name there; empty means the engine's own", "",
			"the name of a runtime that the engine knows, for example runsc",
			func(c *Config, text string) error { c.Runtime = text; return checkRuntime(text) }},
		{"user", "whom the web pages run as when root starts the server; empty means sysnerd if there is such a user, else uid 19999", "",
			"a user's name or uid, for example sysnerd",
			func(c *Config, text string) error { c.User = text; return checkUser(text) }},
		{"data", "folder for the database and the lock", defaultData(),
			"a folder, for example /var/lib/sysnerd",
			func(c *Config, text string) error { return absolute(&c.Data, text) }},
		{"labs", "folder of labs to serve instead of those in the program", "",
			"a folder, for example ./labs",
			func(c *Config, text string) error {
				if text == "" {
					return nil
				}
				return absolute(&c.Labs, text)
			}},
		{"sandbox.capacity", "sandboxes at a time; 0 means as many as fit in sandbox.budget", "0",
			"a whole number from 0 to 5000, for example 60",
			func(c *Config, text string) error { return number(&c.Sandbox.Capacity, text, 0, 5000) }},
		{"sandbox.budget", "memory for all sandboxes together; 0 means three quarters of the machine's", "0",
			"a size, for example 8GiB",
			func(c *Config, text string) error { return size(&c.Sandbox.Budget, text) }},
		{"sandbox.lifetime", "how long a sandbox lives unless it is extended", "2h",
			"a time from 1m to 720h, for example 2h or 90m",
			func(c *Config, text string) error { return duration(&c.Sandbox.Lifetime, text) }},
		{"sandbox.max_life", "how long a sandbox can live when it is extended", "8h",
			"a time from 1m to 720h, for example 8h",
			func(c *Config, text string) error { return duration(&c.Sandbox.MaxLife, text) }},
		{"sandbox.idle", "how long a sandbox lives without a sign of its learner; 0 means as long as any", "45m",
			"0, or a time from 1m to 720h, for example 30m",
			func(c *Config, text string) error {
				if text == "0" {
					c.Sandbox.Idle = 0
					return nil
				}
				return duration(&c.Sandbox.Idle, text)
			}},
		{"sandbox.pool", "sandboxes kept ready for each lab that was claimed within the hour", "4",
			"a whole number from 0 to 500, for example 30 before a workshop",
			func(c *Config, text string) error { return number(&c.Sandbox.Pool, text, 0, 500) }},
		{"docker.host", "where the Docker Engine listens; empty means DOCKER_HOST or its usual socket", "",
			"an address as scheme://place, for example unix:///run/docker.sock",
			func(c *Config, text string) error { c.Docker.Host = text; return checkHost(text) }},
		{"log.level", "what is logged: debug, info, warn or error", "info",
			"debug, info, warn or error",
			func(c *Config, text string) error {
				var level string
				if err := oneOf(&level, text, "debug", "info", "warn", "error"); err != nil {
					return err
				}
				return c.Log.Level.UnmarshalText([]byte(level))
			}},
		{"log.format", "how it is logged: text or json", "text",
			"text or json",
			func(c *Config, text string) error { return oneOf(&c.Log.Format, text, "text", "json") }},
	}
}

// settingOf finds a setting by its key.
func settingOf(key string) (Setting, bool) {
	all := Settings()
	if i := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key }); i >= 0 {
		return all[i], true
	}
	return Setting{}, false
}

func defaultData() string { return filepath.Join(DataHome(), "sysnerd") }

// DataHome is the folder in which this process's user has the data of programs, by the
// XDG base directory specification for people and the file system hierarchy standard
// for root.
func DataHome() string {
	if os.Geteuid() == 0 {
		return "/var/lib"
	}
	home, _ := os.UserHomeDir() // without a home, the working directory
	return cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share"))
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errWant
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q is not from 0 to 65535", port)
	}
	return nil
}

func parseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errWant
	}
	return u.Scheme + "://" + u.Host, nil
}

// userPattern is that of useradd(8), or a uid.
var userPattern = regexp.MustCompile(`^([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9})?$`)

var runtimePattern = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$`)

func checkRuntime(text string) error {
	if !runtimePattern.MatchString(text) {
		return errWant
	}
	return nil
}

func checkUser(text string) error {
	if !userPattern.MatchString(text) {
		return errWant
	}
	return nil
}

func checkHost(text string) error {
	scheme, place, found := strings.Cut(text, "://")
	if text != "" && (!found || scheme == "" || place == "") {
		return errWant
	}
	return nil
}

func oneOf(to *string, text string, values ...string) error {
	if !slices.Contains(values, text) {
		return errWant
	}
	*to = text
	return nil
}

func absolute(to *string, text string) (err error) {
	if text == "" {
		return errWant
	}
	*to, err = filepath.Abs(text)
	return err
}

func number(to *int, text string, low, high int) (err error) {
	if *to, err = strconv.Atoi(text); err != nil || *to < low || *to > high {
		return errWant
	}
	return nil
}

func duration(to *time.Duration, text string) (err error) {
	if *to, err = time.ParseDuration(text); err != nil || *to < time.Minute || *to > 720*time.Hour {
		return errWant
	}
	return nil
}

// size takes K, M, G with or without B and iB; all are powers of 1024.
func size(to *int64, text string) (err error) {
	if *to, err = units.RAMInBytes(text); err != nil || *to < 0 {
		return errWant
	}
	return nil
}
