package link

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Version of the protocol. Both sides say theirs in Hello and Welcome; a guest of
// another version is replaced, never talked to.
const Version = 1

// Kind says what a frame's payload is. Frames of unknown kind are ignored.
type Kind byte

// Frames from the server to the guest.
const (
	KindHello     Kind = 1  // Hello: opens the link, ends older ones
	KindOpen      Kind = 2  // Open: stream is the tab
	KindInput     Kind = 3  // bytes typed; stream is the tab
	KindResize    Kind = 4  // Size; stream is the tab
	KindCredit    Kind = 5  // offset: output before it may be sent; stream is the tab
	KindInterrupt Kind = 6  // Ctrl-C that overtakes input; stream is the tab
	KindRun       Kind = 7  // Run: announces a script; stream is the request
	KindRunData   Kind = 8  // the script's and then the files' bytes, in order
	KindCancel    Kind = 9  // ends a run
	KindKill      Kind = 10 // Kill: ends the learner's processes; stream is the request
	KindSample    Kind = 11 // asks for one Sample; stream is the request
	KindPing      Kind = 12 // stream is the request
	KindSeen      Kind = 13 // offset: output before it was read from the pty that was handed over; stream is the tab
	KindReturn    Kind = 14 // Return: the pty is the guest's again; stream is the tab
)

// Frames from the guest to the server.
const (
	KindWelcome  Kind = 65 // Welcome: answers Hello
	KindOpened   Kind = 66 // Opened: answers Open
	KindOutput   Kind = 67 // offset and bytes; a jump of the offset is a gap
	KindTaken    Kind = 68 // offset: input before it was taken by the terminal
	KindExit     Kind = 69 // Exit: the shell ended, another follows
	KindRunOut   Kind = 70 // descriptor (1 or 2) and bytes
	KindRunDone  Kind = 71 // RunDone: answers Run
	KindDone     Kind = 72 // Done: answers Kill
	KindSampled  Kind = 73 // a sample as JSON: answers Sample
	KindPong     Kind = 74 // answers Ping
	KindOOM      Kind = 75 // OOM
	KindAnswer   Kind = 76 // Answer
	KindNotice   Kind = 77 // Notice
	KindRejected Kind = 78 // Rejected: the Hello was refused
	KindEnded    Kind = 79 // Ended
	KindHanded   Kind = 80 // Handed: with two descriptors, pty and ring; stream is the tab
	KindReclaim  Kind = 81 // asks for Return; stream is the tab
)

// Limits of messages.
const (
	MaxTabs      = 9
	MaxScript    = 1 << 20
	MaxFiles     = 16
	MaxFile      = 1 << 20
	MaxFilesSize = 2 << 20
	MaxAnswer    = 4096
	InputWindow  = 64 << 10  // input bytes sent and not yet Taken
	OutputWindow = 256 << 10 // output bytes sent and not yet acknowledged; the ring's size
)

// Hello opens a link. Epoch grows with every attach; the guest answers only the
// newest.
type Hello struct {
	Version int   `json:"version"`
	Epoch   int64 `json:"epoch"`
	Setup   Setup `json:"setup"`
}

// Setup is what the guest has to know; that of the first Hello stays.
type Setup struct {
	UID       int    `json:"uid"`
	Processes int    `json:"processes"` // the learner's RLIMIT_NPROC
	Home      string `json:"home"`
}

// Welcome tells what the guest is and what its engine lacks.
type Welcome struct {
	Version   int      `json:"version"`
	Epoch     int64    `json:"epoch"`
	Missing   []string `json:"missing,omitempty"`
	Terminals []Opened `json:"terminals,omitempty"`
	Started   int64    `json:"started"` // Unix milliseconds at which PID 1 began
}

// Rejected answers a Hello that is too old, or of another version.
type Rejected struct {
	Version int   `json:"version"`
	Epoch   int64 `json:"epoch"` // the newest so far
}

// Open opens terminal Stream, or joins it from Since on (offset of output).
type Open struct {
	Cols  int   `json:"cols"`
	Rows  int   `json:"rows"`
	Since int64 `json:"since"`
	// Handover asks for the pty itself, whenever it can be had.
	Handover bool `json:"handover,omitempty"`
}

// Opened tells where the terminal's ring begins and ends, as offsets. Modes, when
// the ring begins behind the offset asked for, is output that brings a terminal
// into the modes in force there.
type Opened struct {
	Tab   int    `json:"tab"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Taken int64  `json:"taken"` // input so far
	Modes []byte `json:"modes,omitempty"`
	Error string `json:"error,omitempty"`
}

// Handed hands the pty over. Its ring holds the output from Start to End; Modes is
// output that brings a terminal into the modes in force at Start.
type Handed struct {
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Modes []byte `json:"modes,omitempty"`
}

// Return gives the pty back, or refuses it, and then it is not offered again on this
// link. Credit is output up to which the guest may send now.
type Return struct {
	Credit  int64 `json:"credit"`
	Refused bool  `json:"refused,omitempty"`
}

// Size of a terminal in cells.
type Size struct {
	Cols int `json:"cols"`
	Rows int `json:"rows"`
}

// Exit tells how a shell ended: Status is 128 + signal when a signal did it.
type Exit struct {
	Status int   `json:"status"`
	Offset int64 `json:"offset"`
}

// Run announces a script of Script bytes and its files, which follow as KindRunData.
type Run struct {
	Script   int      `json:"script"`
	Files    []File   `json:"files,omitempty"`
	Env      []string `json:"env,omitempty"`
	Deadline int64    `json:"deadline"` // milliseconds
	Output   int      `json:"output"`
	Learner  bool     `json:"learner,omitempty"`
}

// File is a file of a Run. Fill names what the guest itself puts in.
type File struct {
	Name string `json:"name"`
	Size int    `json:"size"`
	Fill bool   `json:"fill,omitempty"`
}

// RunDone tells how a Run ended.
type RunDone struct {
	Exit      int    `json:"exit"`
	Signal    int    `json:"signal,omitempty"`
	TimedOut  bool   `json:"timed_out,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
	Micros    int64  `json:"micros"`
	Error     string `json:"error,omitempty"` // it could not be started
}

// Kill ends the learner's processes; Wipe empties home, /tmp and /dev/shm too.
type Kill struct {
	Wipe bool `json:"wipe,omitempty"`
}

// Done answers a request.
type Done struct {
	Error string `json:"error,omitempty"`
}

// OOM is a kill by the kernel for want of memory. RSS and Score are about; sizes
// are in bytes.
type OOM struct {
	Count   int64     `json:"count"`
	At      time.Time `json:"at"`
	PID     int       `json:"pid,omitempty"`
	Command string    `json:"command,omitempty"`
	RSS     int64     `json:"rss,omitempty"`
	Score   int64     `json:"score,omitempty"` // thousandths of the limit, with adj
	Adj     int64     `json:"adj,omitempty"`   // oom_score_adj
	Limit   int64     `json:"limit,omitempty"`
}

// Ended tells how many programs of the learner have ended since the last one.
type Ended struct {
	Count int `json:"count"`
}

// Answer is a submitted value.
type Answer struct {
	Task  string `json:"task,omitempty"`
	Value string `json:"value"`
}

// Notice tells that something is full, or well again.
type Notice struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// AppendJSON appends a frame that carries v as JSON.
func AppendJSON(dst []byte, k Kind, stream uint32, v any) ([]byte, error) {
	p, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("encode %T: %w", v, err)
	}
	return Append(dst, Frame{Kind: k, Stream: stream, Payload: p})
}

// AppendOffset appends a frame that carries an offset and, after it, data.
func AppendOffset(dst []byte, k Kind, stream uint32, offset int64, data []byte) ([]byte, error) {
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], uint64(offset))
	return appendFrame(dst, k, stream, p[:], data)
}

// MaxData is how many bytes of data fit in a frame beside their offset.
const MaxData = MaxPayload - 8

var errShort = errors.New("frame is too short for an offset")

// Offset takes apart what AppendOffset made. It refuses negative offsets.
func (f Frame) Offset() (offset int64, data []byte, err error) {
	if len(f.Payload) < 8 {
		return 0, nil, errShort
	}
	offset = int64(binary.BigEndian.Uint64(f.Payload))
	if offset < 0 {
		return 0, nil, fmt.Errorf("offset %d is negative", offset)
	}
	return offset, f.Payload[8:], nil
}

// JSON decodes the payload into v.
func (f Frame) JSON(v any) error {
	if err := json.Unmarshal(f.Payload, v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}
