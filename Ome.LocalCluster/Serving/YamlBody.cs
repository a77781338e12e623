using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ome.LocalCluster.Serving;

/// <summary>YAML bodies as JSON trees. Plain scalars become null, booleans and numbers by the core schema; everything quoted stays text.</summary>
public static class YamlBody
{
    /// <summary>Reads the first document.</summary>
    /// <exception cref="ApiException">400 with line and column.</exception>
    public static JsonNode? Parse(byte[] utf8)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StringReader(Encoding.UTF8.GetString(utf8));
            stream.Load(reader);
        }
        catch (YamlException e)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized: the body is not valid YAML: line {e.Start.Line}, column {e.Start.Column}: {e.Message}");
        }
        return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode, 0);
    }

    private static JsonNode? Convert(YamlNode node, int depth)
    {
        // Anchors make cycles possible; no Kubernetes object is this deep.
        if (depth > 128) throw ApiException.BadRequest("the YAML body is nested deeper than 128 levels");
        switch (node)
        {
            case YamlMappingNode map:
                var tree = new JsonObject();
                foreach (var (key, value) in map.Children)
                {
                    if (key is not YamlScalarNode name) throw ApiException.BadRequest($"the YAML body has a key that is no text in line {key.Start.Line}");
                    tree[name.Value ?? ""] = Convert(value, depth + 1);
                }
                return tree;
            case YamlSequenceNode list:
                return new JsonArray([.. list.Children.Select(item => Convert(item, depth + 1))]);
            default:
                return Scalar((YamlScalarNode)node);
        }
    }

    private static JsonNode? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain) return text;
        return text switch
        {
            "" or "null" or "Null" or "NULL" or "~" => null,
            "true" or "True" or "TRUE" => true,
            "false" or "False" or "FALSE" => false,
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
            _ when char.IsAsciiDigit(text[^1]) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => real,
            _ => text,
        };
    }
}
