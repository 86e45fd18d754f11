"""The prose of suite-v1: passages, and a grammar of notes for the bulk between them."""

NAMES = """Amara Bertil Carmen Dilip Edda Farid Greta Hanno Ines Jonas Katya Lorenz Mireille Nadim Oda Pavel Quirin Rosa
Samir Tilda Umberto Vera Wim Xenia Yusuf Zora""".split()

NUMBERS = """two three four five six seven eight nine eleven twelve fourteen sixteen nineteen twenty-one twenty-six thirty
thirty-four forty forty-five fifty-two sixty-one seventy eighty-eight ninety-three""".split()

TIMES = """before sunrise|shortly after six|around noon|in the early afternoon|towards evening|after dark|on the first dry day
|on a Tuesday|during the night shift|at the end of the month|in the second week|on the last day of the thaw|between two showers
|while the others were at lunch|on the morning of the inspection|an hour before closing""".replace("\n", "").split("|")

ADVERBS = """slowly|without much noise|more than once|by a narrow margin|for the first time this year|almost unnoticed
|against every expectation|just as the handbook says|with some delay|in plain view|to nobody's surprise
|a little too early""".replace("\n", "").split("|")


def topic(place, thing, part, worker, tool, sign, cause, cure, unit):
    """The vocabulary of one trade; every list is written with bars between its entries."""
    lists = dict(place=place, thing=thing, part=part, worker=worker, tool=tool, sign=sign, cause=cause, cure=cure, unit=unit)
    return {name: [entry.strip() for entry in text.split("|")] for name, text in lists.items()}


TOPICS = {
    "harbour": topic(
        "the inner basin|the old quay|the eastern mole|the lock chamber|the slipway|the fish hall|the pilot station",
        "the dredger|the ferry|the floating crane|a coaster from the north|the harbour tug|the survey boat|the mooring pontoon",
        "the winch|the rudder stock|the bilge pump|the anchor chain|the stern light|the fender|the capstan",
        "the harbour master|the diver|the lock keeper|the second pilot|the crane driver|the old boatswain",
        "a hand lead|the echo sounder|a tide table from last year|a grappling hook|the big torch|a length of tarred line",
        "fresh silt along the sill|a film of oil between the piles|a list of two degrees to port|a new ring of rust|"
        "weed on the tide gauge|scratches below the water line",
        "the spring tides|a swell from the south-west|the propeller wash of larger ships|a worn bearing|the warm autumn|"
        "a stone that nobody had charted",
        "moving the buoy|dredging a second time|renewing the zinc|closing the basin for a day|a stronger spring on the valve",
        "fathoms|metres of chain|tonnes of silt|turns of the winch|ship lengths"),
    "bees": topic(
        "the upper meadow|the row behind the barn|the lime avenue|the heather slope|the winter shed|the neighbour's orchard",
        "the third hive|the youngest colony|the swarm from the pear tree|the queenless stock|the strongest colony|the nucleus box",
        "the brood frame|the landing board|the queen excluder|the honey super|the entrance block|the floor tray",
        "the beekeeper|her apprentice|the inspector|the schoolboy who helps on Saturdays|the neighbour|the man from the co-operative",
        "a hive tool|the smoker|the kitchen scale|a goose feather|a magnifying glass|the notebook with the waxed cover",
        "chalky larvae on the tray|a patchy brood pattern|drones in the middle of October|bright yellow pollen|"
        "a humming that did not settle|wax moth in the corner",
        "a late frost|the long rain in June|an old queen|robbing by the stronger stocks|the rape field in bloom|mites",
        "joining the two colonies|a new queen|feeding syrup at dusk|a narrower entrance|turning the hives to the south-east",
        "frames of brood|kilograms of honey|bees to the minute|litres of syrup|spans of comb"),
    "bakery": topic(
        "the front oven|the proving room|the flour loft|the counter|the cold store|the yard where the van loads",
        "the rye dough|the first batch of rolls|the sourdough from the blue crock|the plaited loaf|the Saturday order|the test loaf",
        "the crust|the crumb|the scoring|the base|the glaze|the starter",
        "the master baker|the night baker|the girl at the counter|the miller|the driver|the trainee",
        "a probe thermometer|the peel|a linen cloth|the long knife|the spring scale|a bowl of lukewarm water",
        "a blister under the crust|a crumb like wet felt|a smell of apples|pale flanks|a crack along the seam|flour on the ceiling",
        "flour from the new harvest|a draught from the yard|a tired starter|too much steam|a sluggish burner|the thundery weather",
        "resting the dough longer|a hotter start|less water by a cup|feeding the starter at noon|leaving the damper open",
        "loaves|trays of rolls|degrees below the mark|minutes of proving|sacks of flour"),
    "clockwork": topic(
        "the town hall tower|the workshop bench|the railway waiting room|the museum's second floor|the chapel|the shop window",
        "the tower clock|the regulator|a carriage clock|the ship's chronometer|the musical clock|the station's master clock",
        "the escape wheel|the pendulum spring|the strike train|the minute arbor|the mainspring|the fly",
        "the clockmaker|the sexton|the curator|the apprentice|the stationmaster|a retired engineer",
        "a loupe|brass tweezers|the timing machine|peg wood|a drop of the thin oil|the turns",
        "a bright line on the pallet|dried oil at the pivot|a tooth bent by a hair|a beat that limped|"
        "green verdigris under the dial|a tick without its tock",
        "a hundred winters of dust|a careless repair|the weight of the new hands|the damp of the tower|a magnetised spring|"
        "pigeons on the minute hand",
        "polishing the pivots|a new suspension spring|shifting the bob by a turn|a felt under the case|cleaning the train",
        "seconds a day|teeth|beats to the minute|turns of the key|hours without winding"),
    "garden": topic(
        "the walled garden|the seed house|the lower terrace|the herb bed|the compost yard|the long border|the orangery",
        "the espaliered pear|the quince|the early peas|the black kale|the fig against the wall|the rhubarb|the medlar",
        "the leading shoot|the graft|the lowest leaves|the root ball|the second flower truss|the bark near the ground",
        "the head gardener|the volunteer|the botanist|the gardener's daughter|the man with the barrow|the warden",
        "a budding knife|the dibber|a ball of twine|the rain gauge|the small fork|the seed ledger",
        "silver leaf on one branch|ants in single file|a second bloom|mildew under the glass|roots at the drainage hole|"
        "cracks in the clay",
        "a dry April|lime in the tap water|voles|shade from the new wall|too rich a soil|a week of east wind",
        "pruning to the third bud|a mulch of leaf mould|watering in the morning only|lifting the plants|shelter of hazel twigs",
        "rows|barrows of compost|buds to the shoot|paces|jars of seed"),
    "railway": topic(
        "the branch line|the summit tunnel|the junction|the goods yard|the viaduct|the level crossing by the mill|signal box B",
        "the morning railcar|the stone train|the snow plough|the breakdown crane|the last down train|the inspection trolley",
        "the brake rigging|the left leading axle|the point motor|the ballast shoulder|the facing blade|the track circuit",
        "the signaller|the ganger|the driver|the shunter|the district engineer|the crossing keeper",
        "the track gauge|a long-handled hammer|the feeler|the block telephone|a lamp with a red glass|the occupancy book",
        "a hot axle box|a wet patch in the cutting|a hollow sleeper|a lamp that flickered|flat spots on two wheels|"
        "grass between the rails",
        "clay under the ballast|the heat of the week|a relay from before the war|heavier trains than the line was built for|"
        "leaves in the cutting|a blocked culvert",
        "packing the joint|a limit of thirty|renewing the relay|clearing the drain|a slower start from the loop",
        "wagons|sleepers|minutes late|millimetres of play|lengths of rail"),
    "library": topic(
        "the map room|the reading room|the bindery|the lower stacks|the returns desk|the children's corner|the roof archive",
        "the parish register|the bound newspapers|the atlas of 1871|the card catalogue|a box of glass negatives|the new acquisitions",
        "the spine|the endpapers|the index|the marginal notes|the fold-out plate|the lock of the case",
        "the archivist|the bookbinder|the reader at table nine|the evening librarian|the student on loan|the donor's nephew",
        "a bone folder|the cold light|wheat paste|the hygrometer|a soft brush|a strip of Japanese paper",
        "foxing on the first gathering|a second hand in the notes|a page that had been cut out|a stamp of a dissolved society|"
        "silverfish behind the plinth|a pressed fern",
        "an iron-rich ink|the dry air of the heating season|a shelf that was too tight|readers in a hurry|a leak in the gutter|"
        "a mistake in the first catalogue",
        "a box made to measure|digitising before binding|moving the shelf mark|a slower drying|keeping the two volumes apart",
        "shelves|leaves|boxes|readers a day|entries in the catalogue"),
    "river": topic(
        "the upper ford|the gauge by the bridge|the flood meadow|the weir|the oxbow|the mouth of the mill stream|the gravel bank",
        "the main channel|the fish pass|the spring flood|the side arm|the outfall|the measuring station",
        "the float line|the staff gauge|the cut bank|the bed|the log boom|the culvert",
        "the hydrologist|the bailiff|the ferryman|the farmer downstream|the student with the waders|the dam attendant",
        "a current meter|a bottle on a string|the level and staff|a seine net|the conductivity probe|pegs and twine",
        "brown foam below the weir|trout holding in the slack|a bank undercut by a pace|clear water over dark mud|"
        "driftwood high in the willows|a smell of iron",
        "the snow melt|a thunderstorm in the hills|gates left open upstream|the dry spring|beavers|the gravel works",
        "opening the lower gate|willow bundles along the bank|a second gauge|waiting for low water|letting the side arm flood",
        "centimetres above the mark|cubic metres a second|trout|days of low water|paces of bank"),
    "glass": topic(
        "the hot shop|the batch room|the annealing hall|the cutting bench|the mould store|the packing room",
        "the new furnace|the amber pot|a run of carafes|the church window|the test rod|the order for the observatory",
        "the gather|the punty mark|the rim|the foot|the lead came|the parison",
        "the gaffer|the servitor|the batch mixer|the engraver|the glazier|the boy who carries in",
        "the blowpipe|cherry-wood blocks|the polariscope|a wet newspaper|the jacks|the diamond",
        "seed in the melt|a cord across the bowl|a bloom of tin|stress colours at the neck|a grey cast|a ring like a cracked bell",
        "damp sand|too short a soak|cullet of the wrong kind|a cold mould|iron in the batch|an uneven lehr",
        "skimming the pot|a longer anneal|magnets over the sand|warming the mould|a slower turn at the chair",
        "pots|pieces a shift|degrees an hour|hands of work|crates"),
    "observatory": topic(
        "the small dome|the meridian room|the plate vault|the radio hut|the control room|the ridge above the dome",
        "the refractor|the spectrograph|the transit instrument|the camera|the dish|the variable in the Swan",
        "the drive|the slit|the finder|the shutter|the cooling line|the declination axis",
        "the night assistant|the visiting astronomer|the instrument maker|the director|the student on duty|the caretaker",
        "a flat field lamp|a comparison star|the logbook|a level|cotton gloves|the spare eyepiece",
        "a ghost image left of the star|trailing in right ascension|frost on the corrector|a second minimum|"
        "a spike at every full hour|a rise of half a magnitude",
        "thin cirrus|a slipping worm|light from the valley|a bad ground wire|the warm air of the dome|a cosmic ray",
        "balancing the tube again|opening the dome at dusk|a darker slit|repeating the exposure|observing nearer the zenith",
        "arc seconds|exposures|tenths of a magnitude|hours of clear sky|plates"),
    "weaving": topic(
        "the dye house|the loom shed|the sorting table|the drying loft|the sample room|the carding floor",
        "the wide loom|a warp of forty ells|the indigo vat|the twill for the ferry|the madder lot|the double cloth",
        "the heddle|the selvedge|the reed|the shuttle race|the cloth beam|the lease",
        "the dyer|the weaver at loom six|the designer|the buyer|the loom fixer|the warper",
        "a pick glass|the raddle|a skein winder|the colour card|a bone needle|the ledger of recipes",
        "a broken end every hand's breadth|a streak of lighter blue|a reed mark|a slack edge|lint under the temple|a bronze sheen",
        "hard water|yarn from two spinners|a worn picker|the dry east wind|an exhausted vat|a tension weight too few",
        "resting the vat for a night|a wetter loft|a fresh lease|turning the bobbins|one dip more",
        "ells|picks to the inch|dips|skeins|ends"),
    "weather": topic(
        "the summit hut|the valley station|the lee slope|the screen behind the school|the pass|the snow field",
        "the barograph|the autumn balloon|the rain radar|the snow stake|the thermograph|the visibility board",
        "the wet bulb|the cups of the anemometer|the pen arm|the sunshine card|the funnel|the radio sonde",
        "the observer|the relief observer|the hut keeper|the forecaster|the mountain guide|the teacher",
        "a whirling thermometer|the snow saw|a fresh chart|the theodolite|a pair of binoculars|the spare pen",
        "rime a hand long on the ropes|a veering wind aloft|a sharp kink in the trace|a halo with one bright side|"
        "thunder without cloud|dew at the wrong end of the night",
        "an inversion over the lake|a front that stalled|dust from the desert|the warm wind from the pass|ice in the bearing|a wasps' nest in the vent",
        "a second reading each hour|a shield against drift|moving the stake|fresh ink|calling the pass on the half hour",
        "hectopascals|millimetres in an hour|knots|octas|days of frost"),
}

# One sentence or two of each kind, in this order, make a note.
SENTENCES = [
    [
        "{Time}, {worker} noticed {sign} at {place}.",
        "{Name} came back from {place} {time} and reported {sign}.",
        "The entry for {place} begins with {sign}, and with the remark that {thing} was not to blame.",
        "Nobody had looked at {part} of {thing} for weeks until {worker} did so {time}.",
        "Work at {place} began {time}, with {name} in charge of {thing}.",
        "What {worker} found at {place} was {sign}.",
        "{Thing} gave trouble again {time}, and {adverb}.",
        "It was {name} who first asked why {thing} behaved so differently at {place}.",
        "A note in {name}'s hand says that {sign} appeared {time} near {place}.",
        "Three people saw {thing} {time}, and each of them remembers {part} differently.",
        "There is little to say about {place}, except that {worker} left {tool} there {time}.",
    ],
    [
        "The first count gave {number} {unit}; the second, {number}.",
        "With {tool}, {name} measured {number} {unit} at {place}, which is {number} more than last time.",
        "{Worker} put the difference at {number} {unit}, {name} at {number}.",
        "Between the two readings lay {number} {unit} and a pause of {number} minutes.",
        "Of {number} {unit}, {number} were as they should be.",
        "The book allows {number} {unit}; {name} wrote down {number}.",
        "{Number} {unit} is not much, but it was {number} in spring.",
        "Nothing under {number} {unit} counts here, so the reading of {number} was taken seriously.",
        "An average of {number} {unit} hides that one day in {number} had none at all.",
        "{Name} checked it with {tool} and found {number} {unit} instead of {number}.",
    ],
    [
        "{Part} moved {adverb}, while {thing} stayed where it was.",
        "Close up, {part} showed {sign}.",
        "One could reach {part} only from {place}, and only with {tool}.",
        "{Worker} took {tool}, opened {part} and shook {name} awake to hold the light.",
        "Somebody had already repaired {part} once, {adverb}, and had not written it down.",
        "Seen from {place}, {thing} looked sound; from the other side there was {sign}.",
        "As long as {part} was warm, {sign} did not return.",
        "{Name} drew {part} twice, once as it is and once as it should be.",
        "The noise came from {part} and stopped as soon as {worker} touched {thing}.",
        "Later the same day {thing} ran {adverb}, and {part} was quiet.",
    ],
    [
        "{Worker} blames {cause}, but {name} has another idea.",
        "\"It is {cause},\" said {name}, \"and it will be so until somebody pays for {cure}.\"",
        "If it were {cause}, {worker} argued, {place} would have suffered as well.",
        "Two years ago the same thing happened, and then it was {cause}.",
        "{Name} thinks that {cause} and {part} have nothing to do with each other.",
        "For {worker} the matter is settled: {cause}, and nothing else.",
        "There are {number} possible reasons, and {cause} is the dullest of them.",
        "No one at {place} believes in {cause} any more.",
        "Had it not been for {cause}, {thing} would have lasted another {number} years.",
        "{Name} asked {worker} about {cause}, and got a shrug for an answer.",
    ],
    [
        "They settled on {cure} and agreed to look again {time}.",
        "{Name} is for {cure}; {worker} would rather wait.",
        "{Cure} helped at {place}, so it was tried here too, {adverb}.",
        "After {cure}, {number} {unit} remained, which is within what {name} calls reasonable.",
        "Neither {tool} nor {cure} made any difference to {part}.",
        "The cheapest way out is {cure}; the best would be to replace {thing}.",
        "It took {number} people and {number} hours, and in the end {cure} was enough.",
        "{Worker} wants {cure} done before {thing} is used again.",
        "Until then {name} keeps {tool} within reach and an eye on {part}.",
        "Next time, {name} writes, one should begin with {cure} and leave {part} alone.",
    ],
    [
        "What is still open is where {sign} came from.",
        "The rest of the page is empty.",
        "{Name} has promised to ask at {place}.",
        "Whoever reads this should compare it with the note on {part} from {number} months ago.",
        "By the end of the week {thing} was back in use, and {worker} had other worries.",
        "The matter was closed {time}, {adverb}.",
        "Underneath, in pencil: {number} {unit}, and a question mark.",
        "So much for {thing}; the next entry is about {place}.",
        "A copy went to {worker}, who has not answered.",
        "Perhaps {name} will be believed now.",
    ],
]

PASSAGES = [
    """A measurement is a conversation between two parties, only one of whom can be asked to repeat what was said. The
    instrument answers once, in its own dialect, and is then silent. Everything that follows, the tables and the averages and
    the confident graph, is our side of the conversation. It pays to remember that when the graph is beautiful.""",
    """My grandmother kept her recipes in a tin that had once held screws. The cards were in no order, or rather in the order of
    use: a card that came out went back in at the front, so that the dishes we loved wandered forward and the failures sank.
    Years later I learned that this arrangement has a name and that people write papers about it. She called it not having
    time to tidy up.""",
    """When the bridge was closed, the two halves of the town discovered how different they were. The eastern side had the
    school and the doctor; the western side had bread. For nine days a man with a rowing boat was the most important person
    for miles around, and he bore it badly. On the tenth day the bridge reopened and he went back to repairing nets, visibly
    relieved.""",
    """There are two ways of finding a fault. One can begin at the symptom and walk backwards, asking at each step what could
    have caused it, or one can cut the whole in half and ask on which side the fault lies. The first way is faster when you
    are lucky and teaches you the machine. The second way is dull, and always ends.""",
    """Snow had fallen on the tracks in the night, so that in the morning one could read who had been about: a fox, straight as a
    ruled line; the postman, who turns his left foot outward; and somebody in new boots who had stood for a long time by the
    gate, gone up to the door, and returned without knocking.""",
    """The committee met for three hours about the colour of the benches. Nobody had anything to say about the drainage, which
    would cost two hundred times as much, since nobody knew anything about drainage. Everyone had sat on a bench. In the
    minutes the benches take up four pages and the drainage one line, which says: agreed.""",
    """To sharpen a plane iron you need a flat stone, and to have a flat stone you need two others. Rub the first against the
    second, the second against the third, the third against the first; only a plane surface can match both its neighbours at
    once. It is one of the few truths in a workshop that cost nothing but patience.""",
    """Learning a language late, you come to know the poverty of your own mind. You want to say that the evening is mild and
    slightly sad, and you say that it is not cold. Then, after months, a word arrives by itself, in the middle of a sentence
    about buses, and for the rest of the day you feel rich.""",
    """The lighthouse was automated in the year I was born, but my father still climbed it every Sunday. He said he was checking
    the bulb. From the gallery you could see both coasts and, on good days, the smoke of a town to which he had never been.
    He stayed up there for as long as it takes to smoke one pipe, and came down in a better mood.""",
    """Any schedule that has no slack in it is not a plan but a wish. The trouble is that slack, seen on paper, looks like waste,
    and there is always somebody whose task it is to remove waste. So the slack is removed, the first delay runs through the
    whole chain like a shunted train, and somebody is asked to explain why nobody could foresee it.""",
    """She taught us to draw by forbidding us to draw things. Draw the gap between the chair and the wall, she said, draw the
    shape of the air under the table. We hated it. In the third week a chair stood on my page, upright and convincing, and I
    had not drawn a single line of it.""",
    """The spring behind the house never failed, not even in the summer when the river could be crossed in shoes. My uncle held
    that it came from the far side of the mountain, where it rains more. A geologist who stayed with us explained about clay
    and limestone for an entire evening. When he had finished, my uncle nodded and said: so, from the far side.""",
    """Computers do exactly what they are told, and it is remarkable how seldom anybody knows what that is. A program is a letter
    to a reader without goodwill, who will not guess, will not overlook a slip, and has no idea what you are trying to
    achieve. Writing such letters for some years changes the way one listens to people.""",
    """At the market the woman who sold eggs did sums with beans. One bean an egg, a row of ten, and a stone for each row that was
    full. A boy with a calculator once tried to race her and lost, because he had to look down to find the keys. She looked
    at the customer the whole time.""",
    """A good index is written by somebody who imagines a reader in a hurry. It does not list what the book contains; it lists
    what people will come looking for, under the words that they will bring with them. This is why an index made by the
    author is often poor. The author no longer remembers which words people had before they read the book.""",
    """We cross the pass in the old way, starting at three in the morning so as to be over the snow before the sun softens it. You
    see little: the circle of the lamp, the boots of the one ahead. Then the sky turns grey, the circle fades, and there you
    are, very small, in the middle of something that had been there all along.""",
    """The pump at the corner was painted green every spring by a man whom the town did not employ. He had begun when the paint was
    peeling and nobody came; the next year he did it again, because it had looked so well. When he died there was a short
    discussion at the council about whose task it was now. The pump is grey these days.""",
    """Sourdough is less a recipe than a pet. It is hungry at known hours, sulks when it is cold, and will forgive a neglected week
    if you apologise with fresh flour. People who travel leave it with friends, together with instructions that grow longer
    each time. It has no opinions, which is more than can be said of other company.""",
    """There is a kind of error that hides behind a correct result. The sum is right because two mistakes cancel; the test passes
    because it never ran. Such errors are found by people who are suspicious of good news, and those people are not always
    pleasant to have around. Keep one of them anyway.""",
    """In the archive there was a drawer for things that belonged nowhere: a key, a child's drawing of a horse, eleven identical
    photographs of an empty street. Each had a number, so that one could ask for it. Once, the old archivist told me, somebody
    had come and asked for the key. He tried it in his own front door, thanked them, and went away.""",
    """The wind in the valley keeps office hours. It rises at ten, blows up the slope until five, and then drops so suddenly that
    the smoke from the chimneys stands straight. Visitors set out for a sail in the calm of the evening and are still sitting
    on the lake at dusk, within calling distance of the shore, being polite to each other.""",
    """A queue is fair only if everybody can see it. The moment that it bends round a corner, rumours begin: that another door has
    been opened, that it no longer matters, that a man in a hat was let in. The same people in the same order, standing where
    they can see one another, will wait twice as long and talk about the weather.""",
    """The violin maker tapped the unfinished plate and listened, took off a shaving you could have read a newspaper through, and
    tapped again. I asked what he was listening for. He thought about it. When it stops sounding like wood, he said, I stop.
    He had been doing this for forty years and had, he added, often stopped too late.""",
    """Maps lie by leaving out. The map of the buses leaves out the hills, the map of the hills leaves out the fences, and no map
    shows the dog at the third farm. A traveller with all the maps and no advice will arrive on time, out of breath, with torn
    trousers.""",
    """When they restored the mill they found, under the floor of the grinding room, a layer of rye as thick as a thumb, black with
    age. The botanists were delighted. The miller's granddaughter, who had come for the opening, looked at it for a while and
    said that her grandfather had always blamed the carter.""",
    """It takes two people to carry a long table through a narrow door, and one of them must walk backwards. That one sees where
    they have been, the other sees where they are going, and neither sees the door frame. Most of what I know about managing
    projects I learned on the stairs of rented flats.""",
    """The tide tables for our coast are computed a year ahead and are right to within a hand. Then an easterly blows for three
    days and pushes the sea out of the bay, and the ferry lies on the mud in front of a timetable that says she has left.
    The tables are not wrong. They are answering another question.""",
    """After the storm we walked the wood with a can of paint and marked what could be saved. A tree that leans is not lost, the
    forester said, if its roots are still in company. He judged it by pushing with his shoulder and watching the ground on the
    other side. Where the ground breathed, he shook his head and reached for the paint.""",
    """The first translation of the manual was made from the third draft, the second from the printed book and the third from the
    second translation. In it, the reader is warned never to open the kettle's politician. We laughed until somebody pointed
    out that the safety instructions had travelled by the same road.""",
    """Old locksmiths hold that a lock keeps honest people honest. A thief has time, tools and a motive; what the lock removes is
    the idle hand on the handle, the door that was open anyway. Much of what is called security is of this kind, and it is
    nothing to be ashamed of, so long as one does not store gold behind it.""",
    """On the last page of her field book she had drawn a table of everything that she had been sure of in the first year: eleven
    lines. Next to nine of them there was a date, and a word or two. Next to one there was a question mark. The last line said
    that it would rain in April, and had been left as it was.""",
    """A cat will wait beside a hole in which there is no mouse for as long as beside a hole in which there is one. From the outside
    the two kinds of waiting cannot be told apart, and perhaps from the inside either. We call the one patience and the other
    stubbornness, once we know about the mouse.""",
    """The orchestra tunes to the oboe because the oboe cannot be tuned. Everyone who can give way does so to the one who cannot,
    and the result is harmony. I have since seen the same arrangement in families, in ministries and in large programs, and
    it works surprisingly well until there are two oboes.""",
    """He kept bees on the roof of the ministry, six hives between the ventilation shafts. The honey tasted of lime and chestnut,
    although nobody could name a chestnut within two miles. One summer it tasted faintly of mint, and a junior official spent
    his lunch hours walking the back courts of the district until he found the balcony.""",
    """Ice on the canal carries a man at the thickness of a hand's breadth, a horse at two and a loaded sledge at three, provided
    that it is clear, without snow and not over a current. These are the figures of people who are still alive. The others,
    the almanac remarks, have not been asked.""",
    """There was a word in the dialect of the upper valley for the light just before a hailstorm, and another for the feeling of
    having left something on the stove. The young people use neither. Hail has become rarer, the teacher says, and stoves
    switch themselves off; one cannot keep a word for nothing.""",
    """The night watchman's clock had to be wound at seven places in the building with seven different keys, each chained to its
    wall, so that the paper disc inside would prove his round. He was an honest man and walked it every hour. But he had also,
    he told me on his last day, taken a cast of every key, just to know that he could.""",
    """To estimate how many fish there are in a lake, catch a hundred, mark them, put them back, and catch a hundred more. If ten of
    these carry your mark there are a thousand. It is so simple that one forgets to ask whether a fish that has been caught
    once is as easy to catch again.""",
    """The two halves of the tunnel met under the mountain with an error of less than a hand. For this they had carried the height
    of the sea over the pass, peg by peg, for two summers, and repeated it from the other side. The surveyor, asked at the
    celebration how it felt, said that he would have preferred it to be nought, because then he could have believed it was
    luck.""",
    """What is written on a boundary stone faces outward on both sides; there is no inscription for the stone itself. I lean on it
    to tie my boot, with one foot in each parish, and consider that there is a strip as wide as my hand that pays no taxes to
    anybody.""",
]
