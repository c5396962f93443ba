// Emoji by their names, for :name: and the picker. The names are those that people know from other chats.
const TABLE = `
grinning 😀 smile 😄 grin 😁 laughing 😆 joy 😂 rofl 🤣 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 kissing_heart 😘
yum 😋 stuck_out_tongue 😛 zany 🤪 thinking 🤔 shushing 🤫 neutral 😐 expressionless 😑 smirk 😏 unamused 😒 roll_eyes 🙄
grimacing 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴 mask 😷 sick 🤒 nauseated 🤢 sneezing 🤧 hot 🥵 cold 🥶 dizzy 😵
mind_blown 🤯 cowboy 🤠 party 🥳 sunglasses 😎 nerd 🤓 confused 😕 worried 😟 open_mouth 😮 astonished 😲 flushed 😳
pleading 🥺 fearful 😨 cry 😢 sob 😭 scream 😱 weary 😩 tired 😫 yawning 🥱 angry 😠 rage 😡 skull 💀 ghost 👻 robot 🤖
poop 💩 clown 🤡 wave 👋 ok_hand 👌 pinch 🤏 victory ✌️ fingers_crossed 🤞 rock 🤘 call_me 🤙 point_left 👈 point_right 👉
point_up 👆 point_down 👇 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 fist ✊ punch 👊 clap 👏 raised_hands 🙌 open_hands 👐
handshake 🤝 pray 🙏 writing ✍️ muscle 💪 eyes 👀 brain 🧠 heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚
blue_heart 💙 purple_heart 💜 broken_heart 💔 two_hearts 💕 sparkling_heart 💖 hundred 💯 boom 💥 sweat_drops 💦 dash 💨
speech 💬 thought 💭 zzz 💤 dog 🐶 cat 🐱 mouse 🐭 fox 🦊 bear 🐻 panda 🐼 lion 🦁 cow 🐮 pig 🐷 frog 🐸 monkey 🐵
see_no_evil 🙈 speak_no_evil 🙊 chicken 🐔 penguin 🐧 bird 🐦 owl 🦉 unicorn 🦄 bee 🐝 bug 🐛 butterfly 🦋
snail 🐌 turtle 🐢 snake 🐍 octopus 🐙 whale 🐳 dolphin 🐬 fish 🐟 rose 🌹 sunflower 🌻 seedling 🌱 tree 🌳 leaves 🍃
four_leaf_clover 🍀 mushroom 🍄 sun ☀️ moon 🌙 star ⭐ sparkles ✨ rainbow 🌈 cloud ☁️ rain 🌧️ snow ❄️ fire 🔥 water 💧
apple 🍎 banana 🍌 strawberry 🍓 lemon 🍋 avocado 🥑 bread 🍞 cheese 🧀 pizza 🍕 burger 🍔 fries 🍟 taco 🌮 sushi 🍣
ramen 🍜 cake 🍰 birthday 🎂 cookie 🍪 chocolate 🍫 coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine 🍷 champagne 🍾 soccer ⚽
basketball 🏀 trophy 🏆 medal 🏅 guitar 🎸 music 🎵 art 🎨 game 🎮 dart 🎯 dice 🎲 car 🚗 bus 🚌 bike 🚲 train 🚆
airplane ✈️ rocket 🚀 ship 🚢 home 🏠 office 🏢 watch ⌚ phone 📱 laptop 💻 keyboard ⌨️ camera 📷 tv 📺 bulb 💡
flashlight 🔦 book 📖 books 📚 newspaper 📰 money 💰 email 📧 package 📦 pencil ✏️ memo 📝 folder 📁 calendar 📅 chart 📈
pin 📌 paperclip 📎 scissors ✂️ lock 🔒 key 🔑 hammer 🔨 wrench 🔧 gear ⚙️ link 🔗 magnet 🧲 test_tube 🧪 bell 🔔 mute 🔇
megaphone 📣 hourglass ⏳ alarm ⏰ check ✅ x ❌ question ❓ exclamation ❗ warning ⚠️ no_entry ⛔ recycle ♻️ tada 🎉
balloon 🎈 gift 🎁 ribbon 🎀 flag 🚩 checkered_flag 🏁 white_flag 🏳️ rainbow_flag 🏳️‍🌈
`;
const words = TABLE.trim().split(/\s+/);
export const EMOJI = new Map(Array.from({ length: words.length / 2 }, (_, index) => [words[2 * index], words[2 * index + 1]]));
export const OFTEN = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

export const replaceNames = (text) =>
  text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI.get(name) ?? whole);

export function named(begin, limit) {
  const found = [];
  for (const [name, emoji] of EMOJI)
    if (name.includes(begin) && !found.some((one) => one.emoji === emoji)) found.push({ name, emoji });
  return found.sort((one, other) => one.name.indexOf(begin) - other.name.indexOf(begin)).slice(0, limit);
}
