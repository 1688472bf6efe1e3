// A sandbox beside a text: loaded when it is opened.
import "./sn-time.js";
import "./sn-keys.js";
import "./sn-terminals.js";
import "./sn-sandbox.js"; // last: it calls those above
