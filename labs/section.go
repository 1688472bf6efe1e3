package labs

import "html/template"

// Section is one section of a course: a text to be read, with things to do in it.
type Section struct {
	Number                     int
	ID, Module, Title, Summary string
	Minutes                    int
	Layer                      string // where it stands on the map: one of layers
	Labs                       []Place
	Body                       template.HTML   // safe to put into a page
	Headings                   []Heading       // in order
	Recalls                    []string        // ids of its recall questions
	Sources                    []Source        // in the order in which the text names them
	Runs                       []Run           // blocks that the page types into a terminal
	Parts                      []Part          // its words without markup, for a search
	defines                    map[string]bool // anchors of terms
	anchors                    []string        // all that a link can lead to
	file                       string          // below the root of what was loaded
}

// Place is a lab of the same module, or a task of it.
type Place struct{ Lab, Task string } // Task "" means the lab as a whole

// Heading is one of a section. Level is 2 or 3.
type Heading struct {
	ID, Title string
	Level     int
}

// Source is where a claim can be looked up.
type Source struct{ ID, Text, URL string }

// Run is a block of commands, and how it has to end.
type Run struct {
	Line     int // of the section's file, on which Commands begins
	Commands string
	Status   int    // exit status of the whole
	Terminal string // tab, "" for the one in view
}

// Part is what stands below a heading.
type Part struct{ Heading, Title, Text string } // Heading is "" above the first one

// layers are where a section can stand on the map, from the foot up.
var layers = []string{"hardware", "kernel", "line", "user"}

// Section returns the section of that id.
func (m *Module) Section(id string) (*Section, bool) {
	for _, s := range m.Sections {
		if s.ID == id {
			return s, true
		}
	}
	return nil, false
}

// Defines tells whether the section's text gives the meaning of a term, at the
// anchor [Term.Anchor].
func (s *Section) Defines(t Term) bool { return s.defines[t.Anchor()] }
