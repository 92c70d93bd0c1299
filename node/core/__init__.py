"""All of the node's rules, as one pure machine: ``step(state, event, now_ms) -> (state, effects)``.

No clock, thread, socket, file or random number: time arrives with each event, orders leave as effects, and the result
of an effect comes back as another event. So the same core runs on the Pi, in the demo, and thousands of times over in
the simulation.
"""
