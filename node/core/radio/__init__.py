"""The rules of the radio path (N8–N10): when to speak, how, and when to be quiet. Pure, like all of the core.

It knows nothing of sound cards, modems or pins. What happens on the air reaches it as events, and what it wants said
leaves it as :class:`~node.core.effects.TransmitOver`.
"""
