"""Knows how much ELIZA will hear, keep and say: every cap of the package, in one place.

The caps are part of the reply: the same messages meet the same caps everywhere. Together they hold the cost of any
request to a few milliseconds, whatever is in it.
"""

from __future__ import annotations

from typing import Final

# What is heard.
MESSAGE_CHARS_MAX: Final = 2_000  # of each user message, from its beginning
MESSAGE_WORDS_MAX: Final = 256  # of each user message; a delimiter counts as a word
TURNS_MAX: Final = 64  # user messages of one conversation, the newest
TALK_CHARS_MAX: Final = 8_192  # of all these messages together
FORGOTTEN_AT_ONCE: Final = 4  # turns; a multiple of LIMIT's four, so that forgetting does not move LIMIT
ITEMS_MAX: Final = 256  # items of a `messages` list that are looked at, the newest
ITEMS_FORGOTTEN_AT_ONCE: Final = 64
PARTS_MAX: Final = 32  # content parts of one message that are looked at

# What is kept.
KEYSTACK_MAX: Final = 32  # keywords of one message
MEMORIES_MAX: Final = 64  # sentences waiting to be brought up again

# What is done for one reply.
HOPS_MAX: Final = 64  # rules tried for one reply
PATIENCE_MAX: Final = 4_096  # steps that a conversation may have saved up
PATIENCE_REGAINED: Final = 128  # steps that every turn adds

# What is said.
REPLY_WORDS_MAX: Final = 1_000
REPLY_CHARS_MAX: Final = 4_000
