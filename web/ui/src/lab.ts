import "./sn-content.js";
import "./sn-theme.js";
import "./sn-divider.js";
import "./sn-time.js";
import "./sn-keys.js";
import "./sn-terminals.js";
import "./sn-program.js";
import "./sn-task.js";
import "./sn-wall.js";
import "./sn-sandbox.js"; // last: it calls those above
