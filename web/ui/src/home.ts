import "./sn-content.js";
import "./sn-theme.js";
