enum Colour { RED = 1, GREEN = 2 }
exception NoSuchItem { 1: string name }
struct Price { 1: double amount, 2: string currency, 3: optional bool final = true, 4: i16 tax }
struct Item {
    1: string name, 2: i64 id, 3: list<string> tags, 4: map<string, Price> prices, 5: set<i32> sizes,
    6: optional Colour colour, 7: list<list<i32>> matrix, 8: bool sold, 20: binary picture, 300: map<i32, bool> stock
}
service Shop {
    Item get(1: string name) throws (1: NoSuchItem missing),
    i32 put(1: Item item, 2: bool replace),
    void clear(),
    oneway void visit(1: string page),
    list<Item> all(1: i32 count),
    string fail(),
}
service Bigger extends Shop { bool newer(1: string what) }
