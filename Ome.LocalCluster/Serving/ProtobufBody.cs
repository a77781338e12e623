using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Serving;

/// <summary>Reads the protobuf bodies kubectl sends for some built-in kinds. Answers are JSON in any case.</summary>
internal static class ProtobufBody
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private const int MaxDepth = 16;

    private static readonly byte[] Magic = [(byte)'k', (byte)'8', (byte)'s', 0];

    /// <summary>Reads the envelope (<c>runtime.Unknown</c>) and the object in it.</summary>
    /// <exception cref="ApiException">400 when it is malformed, 415 for a kind that is taken as JSON only.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith(Magic)) throw ApiException.BadRequest("the body is not Kubernetes protobuf: the prefix is missing");
        var (apiVersion, kind) = ("", "");
        ReadOnlySpan<byte> raw = [];
        for (var reader = new Reader(body[Magic.Length..]); reader.Next(out var number, out var wire);)
        {
            if (number == 1) (apiVersion, kind) = TypeMeta(reader.Bytes());
            else if (number == 2) raw = reader.Bytes();
            else reader.Skip(wire);
        }
        if (ProtobufMessages.Find(kind) is null)
            throw ApiException.UnsupportedMediaType($"{MediaType} with a {kind}", "application/json, application/yaml");
        var tree = Message(raw, kind, 0);
        tree["apiVersion"] = apiVersion;
        tree["kind"] = kind;
        return tree;
    }

    private static (string ApiVersion, string Kind) TypeMeta(ReadOnlySpan<byte> bytes)
    {
        var (apiVersion, kind) = ("", "");
        for (var reader = new Reader(bytes); reader.Next(out var number, out var wire);)
        {
            if (number == 1) apiVersion = Text(reader.Bytes());
            else if (number == 2) kind = Text(reader.Bytes());
            else reader.Skip(wire);
        }
        return (apiVersion, kind);
    }

    private static JsonObject Message(ReadOnlySpan<byte> bytes, string message, int depth)
    {
        if (depth > MaxDepth) throw ApiException.BadRequest("the protobuf body is nested too deep");
        var tree = new JsonObject();
        var fields = ProtobufMessages.Find(message)!;
        for (var reader = new Reader(bytes); reader.Next(out var number, out var wire);)
        {
            if (!fields.TryGetValue(number, out var field)) reader.Skip(wire);
            else if (field.Type is "texts" or "blobs") AddEntry(tree.Child(field.Name), reader.Bytes(), field.Type == "blobs");
            else if (field.Repeated) AddItem(tree, field.Name, Value(ref reader, field.Type, depth));
            else tree[field.Name] = Value(ref reader, field.Type, depth);
        }
        // Go writes every plain text and number, also the empty ones, which JSON leaves out.
        foreach (var name in tree.Where(m => m.Value is JsonValue value && value.TryGetValue<string>(out var text) && text.Length == 0).Select(m => m.Key).ToList()) tree.Remove(name);
        return tree;
    }

    private static JsonNode Value(ref Reader reader, string type, int depth) => type switch
    {
        "string" => Text(reader.Bytes()),
        "bytes" => Convert.ToBase64String(reader.Bytes()),
        "int" => (long)reader.Varint(),
        "bool" => reader.Varint() != 0,
        _ => Message(reader.Bytes(), type, depth + 1),
    };

    private static void AddItem(JsonObject tree, string name, JsonNode item)
    {
        if (tree[name] is not JsonArray list) tree[name] = list = [];
        list.Add(item);
    }

    private static void AddEntry(JsonObject map, ReadOnlySpan<byte> entry, bool binary)
    {
        var (key, value) = ("", "");
        for (var reader = new Reader(entry); reader.Next(out var number, out var wire);)
        {
            if (number == 1) key = Text(reader.Bytes());
            else if (number == 2) value = binary ? Convert.ToBase64String(reader.Bytes()) : Text(reader.Bytes());
            else reader.Skip(wire);
        }
        map[key] = value;
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    /// <summary>Walks the fields of one message.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public bool Next(out int number, out int wire)
        {
            (number, wire) = (0, 0);
            if (_rest.IsEmpty) return false;
            var tag = Varint();
            (number, wire) = ((int)(tag >> 3), (int)(tag & 7));
            return true;
        }

        public ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                if (_rest.IsEmpty) throw Broken();
                var part = _rest[0];
                _rest = _rest[1..];
                value |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80) return value;
            }
            throw Broken();
        }

        public ReadOnlySpan<byte> Bytes() => Take((long)Varint());

        public void Skip(int wire)
        {
            if (wire == 0) Varint();
            else Take(wire switch { 1 => 8, 2 => (long)Varint(), 5 => 4, _ => throw Broken() });
        }

        private ReadOnlySpan<byte> Take(long length)
        {
            if (length < 0 || length > _rest.Length) throw Broken();
            var taken = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return taken;
        }

        private static ApiException Broken() => ApiException.BadRequest("the protobuf body is cut short or malformed");
    }
}
