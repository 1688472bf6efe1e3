package config

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite golden files")

// load runs Load as a command with args does, in a folder of its own.
func load(t *testing.T, args ...string) (*Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("sysnerd", pflag.ContinueOnError)
	AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return Load(flags)
}

// alone keeps files and variables of this machine out of a test.
func alone(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "xdg"))
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, envPrefix) {
			os.Unsetenv(name)
			t.Cleanup(func() { os.Setenv(name, value) })
		}
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDefaults(t *testing.T) {
	alone(t)
	c, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "127.0.0.1:8080", Engine: "auto", Data: defaultData(),
		Sandbox: Sandbox{Lifetime: 2 * time.Hour, MaxLife: 8 * time.Hour, Idle: 45 * time.Minute, Pool: 4},
		Log:     Log{Level: slog.LevelInfo, Format: "text"},
		values:  c.values,
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("Load() without anything (-want +got):\n%s", diff)
	}
	for _, v := range c.Values() {
		if v.Source != "default" {
			t.Errorf("source of %s = %q, want default", v.Key, v.Source)
		}
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	alone(t)
	check := func(want time.Duration, from string, args ...string) {
		t.Helper()
		c, err := load(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if c.Sandbox.Lifetime != want || c.value("sandbox.lifetime").Source != from {
			t.Errorf("sandbox.lifetime = %v (%s), want %v (%s)", c.Sandbox.Lifetime, c.value("sandbox.lifetime").Source, want, from)
		}
	}
	check(2*time.Hour, "default")
	write(t, "sysnerd.yaml", "engine: docker\nsandbox:\n  lifetime: 3h\n")
	check(3*time.Hour, "sysnerd.yaml:3")
	t.Setenv("SYSNERD_SANDBOX_LIFETIME", "4h")
	check(4*time.Hour, "environment SYSNERD_SANDBOX_LIFETIME")
	check(5*time.Hour, "flag --sandbox-lifetime", "--sandbox-lifetime", "5h")
}

func TestEverySettingCanComeFromEverywhere(t *testing.T) {
	values := map[string]string{
		"listen": "[::1]:9000", "url": "https://labs.example.org", "engine": "docker", "data": "/srv/sysnerd",
		"labs": "/srv/labs", "sandbox.capacity": "7", "sandbox.budget": "3GiB", "sandbox.lifetime": "1h30m",
		"sandbox.max_life": "6h", "sandbox.idle": "20m", "sandbox.pool": "7", "docker.host": "unix:///run/other.sock", "log.level": "warn", "log.format": "json",
	}
	want := &Config{
		Listen: "[::1]:9000", URL: "https://labs.example.org", Engine: "docker", Data: "/srv/sysnerd", Labs: "/srv/labs",
		Sandbox: Sandbox{Capacity: 7, Budget: 3 << 30, Lifetime: 90 * time.Minute, MaxLife: 6 * time.Hour, Idle: 20 * time.Minute, Pool: 7},
		Docker:  Docker{Host: "unix:///run/other.sock"},
		Log:     Log{Level: slog.LevelWarn, Format: "json"},
	}
	ways := map[string]func(t *testing.T, s Setting) (args []string){
		"flag": func(t *testing.T, s Setting) []string { return []string{"--" + s.Flag() + "=" + values[s.Key]} },
		"environment": func(t *testing.T, s Setting) []string {
			t.Setenv(s.Variable(), values[s.Key])
			return nil
		},
		"file": func(t *testing.T, s Setting) []string {
			old, _ := os.ReadFile("sysnerd.yaml")
			group, name, nested := strings.Cut(s.Key, ".")
			line := group + ": '" + values[s.Key] + "'\n"
			if nested {
				line = "  " + name + ": '" + values[s.Key] + "'\n"
				if !strings.Contains(string(old), group+":\n") {
					line = group + ":\n" + line
				}
			}
			write(t, "sysnerd.yaml", string(old)+line)
			return nil
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			alone(t)
			var args []string
			for _, s := range Settings() {
				args = append(args, way(t, s)...)
			}
			c, err := load(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range c.Values() {
				if v.Source == "default" {
					t.Errorf("%s still has its default", v.Key)
				}
			}
			c.values = nil
			if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
				t.Errorf("Load (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFileIsSearched(t *testing.T) {
	dir := alone(t)
	user := filepath.Join(dir, "xdg", "sysnerd", "sysnerd.yaml")
	write(t, user, "sandbox: {capacity: 2}\n")
	// A program of that name beside it is not taken for a configuration file.
	write(t, "sysnerd", "\x7fELF")
	for _, want := range []int{2, 1} {
		c, err := load(t)
		if err != nil {
			t.Fatal(err)
		}
		if c.Sandbox.Capacity != want {
			t.Errorf("sandbox.capacity = %d, want %d", c.Sandbox.Capacity, want)
		}
		write(t, "sysnerd.yaml", "sandbox: {capacity: 1}\n")
	}
}

func TestEmptyVariableTakesBackWhatTheFileSays(t *testing.T) {
	alone(t)
	write(t, "sysnerd.yaml", "url: https://labs.example.org\n")
	t.Setenv("SYSNERD_URL", "")
	c, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.URL != "" {
		t.Errorf("url = %q, want none", c.URL)
	}
}

// Every wrong file has the message that its reader gets beside it.
func TestWrongFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no wrong files found: %v", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			alone(t)
			write(t, filepath.Base(path), string(text))
			_, err = load(t, "--config", filepath.Base(path))
			if err == nil {
				t.Fatal("Load took it")
			}
			got := err.Error() + "\n"
			golden := filepath.Join(here, strings.TrimSuffix(path, ".yaml")+".golden")
			if *update {
				write(t, golden, got)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	alone(t)
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "huge.yaml", strings.Repeat("# nothing\n", 30_000))
	for path, want := range map[string]string{
		"none.yaml": "configuration file none.yaml does not exist; name another with --config, or leave it out",
		"folder":    "configuration file folder cannot be read: is a directory; mend that, or name another with --config",
		"huge.yaml": "configuration file huge.yaml has 300000 bytes, more than 262144; is it the right file?",
	} {
		_, err := load(t, "--config", path)
		if err == nil || err.Error() != want {
			t.Errorf("Load with --config %s: %v, want %s", path, err, want)
		}
	}
}

func TestWrongVariables(t *testing.T) {
	for _, row := range []struct{ name, value, want string }{
		{"SYSNERD_LISEN", "x", "environment variable SYSNERD_LISEN is not a setting; did you mean SYSNERD_LISTEN? else unset it"},
		{"SYSNERD_SANDBOX_LIFETIME", "soon", `sandbox.lifetime: "soon" (environment SYSNERD_SANDBOX_LIFETIME) is not a time from 1m to 720h, for example 2h or 90m`},
	} {
		t.Run(row.name, func(t *testing.T) {
			alone(t)
			t.Setenv(row.name, row.value)
			if _, err := load(t); err == nil || err.Error() != row.want {
				t.Errorf("Load with %s=%s: %v, want %s", row.name, row.value, err, row.want)
			}
		})
	}
}

func TestWrongFlag(t *testing.T) {
	alone(t)
	const want = `listen: "nowhere" (flag --listen) is not an address as host:port, for example 127.0.0.1:8080`
	if _, err := load(t, "--listen=nowhere"); err == nil || err.Error() != want {
		t.Errorf("Load with --listen=nowhere: %v, want %s", err, want)
	}
}
