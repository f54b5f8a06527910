// Apache's unmodified Go client, many features in one process. A line in is a command's number, its name and its `name=value` options, separated by
// tabs; what happens is printed as JSON lines, and each command ends with an event `done` or `failed`. Options given on the command line hold for
// all commands. The events are those of java/src/LabFeatures.java.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type options map[string]string

func (o options) text(name, fallback string) string {
	if value, found := o[name]; found {
		return value
	}
	return fallback
}

func (o options) number(name string, fallback int) int {
	value, err := strconv.Atoi(o.text(name, ""))
	if err != nil {
		return fallback
	}
	return value
}

func (o options) nameServers() primitive.NsResolver {
	return primitive.NewPassthroughResolver(strings.Split(o.text("namesrv", ""), ";"))
}

func (o options) traceConfig(group string) *primitive.TraceConfig {
	return &primitive.TraceConfig{
		GroupName:    group + "_trace",
		Access:       primitive.Local,
		NamesrvAddrs: strings.Split(o.text("namesrv", ""), ";"),
		Resolver:     o.nameServers(),
	}
}

type event map[string]interface{}

var output sync.Mutex

func emit(e event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

func read(words []string, into options) {
	for _, word := range words {
		if at := strings.Index(word, "="); at > 0 {
			into[word[:at]] = word[at+1:]
		}
	}
}

func run(command string, o options, done event) error {
	switch command {
	case "send":
		return send(o)
	case "transaction":
		return sendInTransaction(o)
	case "request":
		return request(o, done)
	case "consume":
		return consume(o)
	case "suspend":
		consumers[o.text("id", "c")].Suspend()
		return nil
	case "resume":
		consumers[o.text("id", "c")].Resume()
		return nil
	case "stop":
		return stop(o)
	case "pull":
		return pull(o, done)
	}
	return fmt.Errorf("no command %s", command)
}

func main() {
	rlog.SetLogLevel("error")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 65536), 1<<24)
	emit(event{"event": "started"})
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		own := options{}
		read(os.Args[1:], own)
		read(words[2:], own)
		done := event{"event": "done", "number-of-command": words[0]}
		if err := run(words[1], own, done); err != nil {
			emit(event{"event": "failed", "number-of-command": words[0], "message": err.Error()})
		} else {
			emit(done)
		}
	}
	os.Exit(0)
}
