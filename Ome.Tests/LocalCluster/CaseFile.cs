using System.Text.Json.Nodes;
using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster;

/// <summary>Tables of cases under <c>Cases/LocalCluster</c>: a JSON list of objects with a <c>name</c>.</summary>
internal static class CaseFile
{
    /// <summary>One test case for each entry, named by it.</summary>
    public static IEnumerable<TestCaseData> Rows(string file) =>
        Read(file).AsArray().Select(row => new TestCaseData(row!.AsObject()).SetArgDisplayNames((string)row["name"]!));

    /// <summary>The parsed file; numbers and member order as written.</summary>
    public static JsonNode Read(string file)
    {
        using var stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Cases", "LocalCluster", file));
        return JsonNode.Parse(stream)!;
    }

    /// <summary>A custom resource's schema that uses every list and map type.</summary>
    public static StructuralSchema Probe()
    {
        var schema = StructuralSchema.Parse(Read("probe.schema.json").AsObject(), "schema", out var errors);
        errors.Should().BeEmpty();
        return schema;
    }
}
