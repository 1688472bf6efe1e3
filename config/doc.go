// Package config takes flags, environment, a YAML file and defaults, and gives
// one checked [Config] of plain values, with the source of each.
//
// A setting is one row of [Settings]: its key, what it is for, its default and
// how its text becomes a value. Flag (--log-level), environment variable
// (SYSNERD_LOG_LEVEL) and place in the file (log: level:) follow from the key.
// Viper decides which source wins: flag, then environment, then file, then
// default. Only cmd imports this package; others are handed values.
//
// # Concurrency
//
// Load and what it returns are for one goroutine at a time.
package config
