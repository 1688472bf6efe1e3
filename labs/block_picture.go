package labs

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
)

// picture is a drawing made from data. D is what is drawn.
type picture[D any] struct {
	Kind  string `yaml:"kind"`
	Title string `yaml:"title"`
	Alt   string `yaml:"alt"`
	Data  D      `yaml:"data"`
}

// drawing is what a picture's data can do.
type drawing interface {
	// look reports what is not right.
	look(b *block)
}

var pictureKinds = []string{"address-space", "page-walk", "states", "descriptors", "latency", "cycle", "layers"}

func readPicture(b *block) template.HTML {
	switch kind := b.pictureKind(); kind {
	case "address-space":
		return drawPicture[addressSpace](b)
	case "page-walk":
		return drawPicture[pageWalk](b)
	case "states":
		return drawPicture[stateMap](b)
	case "descriptors":
		return drawPicture[descriptors](b)
	case "latency":
		return drawPicture[latencies](b)
	case "cycle":
		return drawPicture[cycle](b)
	case "layers":
		return drawPicture[layerMap](b)
	default:
		b.oneOf("kind", kind, pictureKinds)
		return ""
	}
}

// pictureKind looks for the kind before the rest is read: that depends on it.
func (b *block) pictureKind() string {
	for line := range strings.Lines(string(b.text)) {
		if kind, ok := strings.CutPrefix(line, "kind:"); ok {
			kind, _, _ = strings.Cut(kind, " #")
			return strings.Trim(strings.TrimSpace(kind), `"'`)
		}
	}
	return ""
}

func drawPicture[D any, P interface {
	*D
	drawing
}](b *block) template.HTML {
	var f picture[D]
	if !b.decode(&f) || !b.needs("picture", "title", f.Title != "", "alt", f.Alt != "") {
		return ""
	}
	if !b.sound(func() { P(&f.Data).look(b) }) {
		return ""
	}
	title, alt := b.say(f.Title), b.say(f.Alt)
	b.tell(title, alt)
	return b.draw("picture", struct {
		Kind       string
		Title, Alt template.HTML
		Data       D
	}{f.Kind, title, alt, f.Data})
}

// addressSpace is a process's memory, from the highest address down.
type addressSpace struct {
	Regions []struct {
		Name   string `yaml:"name" json:"name"`
		Colour string `yaml:"colour" json:"colour,omitempty"`
		Note   string `yaml:"note" json:"note,omitempty"`
		Grows  string `yaml:"grows" json:"grows,omitempty"`
	} `yaml:"regions" json:"regions"`
	High string `yaml:"high" json:"high"`
	Low  string `yaml:"low" json:"low"`
}

func (d *addressSpace) look(b *block) {
	b.needs("picture", "regions", len(d.Regions) > 0, "high", d.High != "", "low", d.Low != "")
	for i := range d.Regions {
		r := &d.Regions[i]
		b.needs(fmt.Sprintf("region %d", i+1), "name", r.Name != "")
		b.colour(r.Colour)
		if r.Grows != "" {
			b.oneOf("grows", r.Grows, []string{"up", "down"})
		}
	}
}

// pageWalk is an address that is translated.
type pageWalk struct {
	Address string `yaml:"address" json:"address"` // 0x…, at most 48 bits
	Levels  int    `yaml:"levels" json:"levels"`
	Page    int    `yaml:"page" json:"page"` // bytes
}

func (d *pageWalk) look(b *block) {
	b.address(d.Address)
	if !slices.Contains([]int{4096, 2 << 20, 1 << 30}, d.Page) {
		b.bad("page:", fmt.Sprintf("a page of %d bytes", d.Page), "use 4096, 2097152 or 1073741824")
	}
	if d.Levels != 4 && d.Levels != 5 {
		b.bad("levels", fmt.Sprintf("%d levels", d.Levels), "use 4 or 5")
	}
}

// address reports one that cannot be translated.
func (b *block) address(address string) {
	hex, prefixed := strings.CutPrefix(address, "0x")
	if n, err := strconv.ParseUint(hex, 16, 64); !prefixed || err != nil || n >= 1<<48 {
		b.bad("address", fmt.Sprintf("address %q", cut(address, 60)), `write it like "0x004021a8", in quotes, with at most 48 bits`)
	}
}

// stateMap is states and the moves between them.
type stateMap struct {
	States []struct {
		Key    string `yaml:"key" json:"key"`
		Name   string `yaml:"name" json:"name"`
		Colour string `yaml:"colour" json:"colour,omitempty"`
	} `yaml:"states" json:"states"`
	Moves []struct {
		From string `yaml:"from" json:"from"`
		To   string `yaml:"to" json:"to"`
		Say  string `yaml:"say" json:"say,omitempty"`
	} `yaml:"moves" json:"moves"`
}

func (d *stateMap) look(b *block) {
	b.needs("picture", "states", len(d.States) > 1, "moves", len(d.Moves) > 0)
	var keys []string
	for i := range d.States {
		s := &d.States[i]
		b.needs(fmt.Sprintf("state %d", i+1), "key", s.Key != "", "name", s.Name != "")
		b.colour(s.Colour)
		keys = append(keys, s.Key)
	}
	b.differ("state", keys)
	for i := range d.Moves {
		m := &d.Moves[i]
		b.oneOf("from", m.From, keys)
		b.oneOf("to", m.To, keys)
	}
}

// differ reports a key that comes twice.
func (b *block) differ(what string, keys []string) {
	for i, k := range keys {
		if slices.Contains(keys[:i], k) {
			b.bad(k, fmt.Sprintf("%s %q comes twice", what, cut(k, 60)), "keep one of the two")
		}
	}
}

// descriptors is a process's table, what its entries lead to, and what is behind that.
type descriptors struct {
	Table []struct {
		FD int    `yaml:"fd" json:"fd"`
		To string `yaml:"to" json:"to"` // of Descriptions
	} `yaml:"table" json:"table"`
	Descriptions []struct {
		ID     string `yaml:"id" json:"id"`
		Offset int    `yaml:"offset" json:"offset"`
		Flags  string `yaml:"flags" json:"flags"`
		To     string `yaml:"to" json:"to"` // of Objects
	} `yaml:"descriptions" json:"descriptions"`
	Objects []struct {
		ID   string `yaml:"id" json:"id"`
		Name string `yaml:"name" json:"name"`
		Kind string `yaml:"kind" json:"kind"`
	} `yaml:"objects" json:"objects"`
}

func (d *descriptors) look(b *block) {
	b.needs("picture", "table", len(d.Table) > 0, "descriptions", len(d.Descriptions) > 0, "objects", len(d.Objects) > 0)
	var objects, descriptions []string
	for i := range d.Objects {
		o := &d.Objects[i]
		b.needs(fmt.Sprintf("object %d", i+1), "id", o.ID != "", "name", o.Name != "")
		objects = append(objects, o.ID)
	}
	for _, o := range d.Descriptions {
		descriptions = append(descriptions, o.ID)
		b.oneOf("to", o.To, objects)
	}
	b.differ("object", objects)
	b.differ("description", descriptions)
	for _, row := range d.Table {
		b.oneOf("to", row.To, descriptions)
		if row.FD < 0 {
			b.bad("fd", fmt.Sprintf("descriptor %d", row.FD), "count from 0")
		}
	}
}

// latencies is how long things take.
type latencies struct {
	Rows []struct {
		Name   string  `yaml:"name" json:"name"`
		NS     float64 `yaml:"ns" json:"ns"`
		Colour string  `yaml:"colour" json:"colour,omitempty"`
	} `yaml:"rows" json:"rows"`
	Cycle float64 `yaml:"cycle" json:"cycle,omitempty"` // ns; 0 for that of the first row
}

func (d *latencies) look(b *block) {
	b.needs("picture", "rows", len(d.Rows) > 1)
	for i := range d.Rows {
		r := &d.Rows[i]
		b.needs(fmt.Sprintf("row %d", i+1), "name", r.Name != "", "ns", r.NS > 0 && r.NS < 1e15)
		b.colour(r.Colour)
	}
}

// cycle is steps of which the last leads to the first.
type cycle struct {
	Steps []struct {
		Name string `yaml:"name" json:"name"`
		Say  string `yaml:"say" json:"say,omitempty"`
	} `yaml:"steps" json:"steps"`
}

func (d *cycle) look(b *block) {
	b.needs("picture", "steps", len(d.Steps) > 1)
	for i := range d.Steps {
		s := &d.Steps[i]
		b.needs(fmt.Sprintf("step %d", i+1), "name", s.Name != "")
	}
}

// layerMap is what stands above the line, below it, and at the foot.
type layerMap struct {
	User     []string `yaml:"user" json:"user"`
	Kernel   []string `yaml:"kernel" json:"kernel"`
	Hardware []string `yaml:"hardware" json:"hardware"`
	Crossing string   `yaml:"crossing" json:"crossing,omitempty"`
}

func (d *layerMap) look(b *block) {
	b.needs("picture", "user", len(d.User) > 0, "kernel", len(d.Kernel) > 0)
}

// took is a time in words, for the list beside the drawing.
func took(ns float64) string {
	for _, unit := range []struct {
		ns   float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= unit.ns {
			return strconv.FormatFloat(ns/unit.ns, 'f', -1, 64) + "\u00a0" + unit.name
		}
	}
	return strconv.FormatFloat(ns, 'f', -1, 64) + "\u00a0ns"
}
