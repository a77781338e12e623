using System.Text;
using System.Text.Json;
using Ome.Shared.Domain.Metadata;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Metadata;

/// <summary>Contract 10.8, P01 to P17 but P12, and the table of families of 6.4: what is read from the files of a model.</summary>
public sealed class MetadataCaseTests
{
    private const string Table = "contract/metadata.json";

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "count" })]
    public void A_count_is_written_as_people_write_it(JsonElement row) => ParameterText.Format(row.GetProperty("count").GetInt64()).Should().Be(row.Text("want"));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "capabilities" })]
    public void The_first_rule_that_fires_decides(JsonElement row) => string.Join(',', CapabilityRules.Of(
        new CapabilityFacts(row.Text("type")!, row.Text("architecture")!, Is(row, "diffusion"), Is(row, "vision"), Is(row, "embedding")))).Should().Be(row.Text("want"));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "read" })]
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/families.json", "read" })]
    public void Files(JsonElement row)
    {
        var result = ConfigReader.Read(FilesOf(row));
        var model = result.Metadata;

        foreach (var want in row.GetProperty("want").EnumerateObject())
        {
            if (want.Name == "reason") result.Reason.Should().Contain(want.Value.GetString());
            else if (want.Name == "note") model!.Notes.Should().Contain(note => note.Contains(want.Value.GetString()!, StringComparison.Ordinal));
            else if (want.Name == "components") Components(model!.DiffusionPipeline!).Should().Equal(want.Value.Deserialize<SortedDictionary<string, string>>());
            else Fact(model!, want.Name).Should().Be(want.Value.ValueKind == JsonValueKind.Null ? null : want.Value.ToString(), want.Name);
        }
    }

    private static string? Fact(ModelMetadata model, string name) => name switch
    {
        "type" => model.ModelType,
        "architecture" => model.ModelArchitecture,
        "size" => model.ModelParameterSize,
        "context" => $"{model.MaxTokens}",
        "format" => $"{model.ModelFormat.Name}/{model.ModelFormat.Version}",
        "framework" => $"{model.ModelFramework?.Name}/{model.ModelFramework?.Version}",
        "quantization" => model.Quantization,
        "capabilities" => string.Join(',', model.ModelCapabilities),
        "vision" => $"{model.Configuration.HasVision}",
        "embedding" => $"{model.Configuration.IsEmbedding}",
        "dtype" => model.Configuration.TorchDtype,
        "bytes" => $"{model.Configuration.ModelSizeBytes}",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such fact"),
    };

    private static SortedDictionary<string, string> Components(DiffusionPipeline pipeline)
    {
        var named = new (string Name, DiffusionComponent? Component)[]
        {
            ("scheduler", pipeline.Scheduler), ("text_encoder", pipeline.TextEncoder), ("tokenizer", pipeline.Tokenizer), ("transformer", pipeline.Transformer), ("vae", pipeline.Vae),
        };
        var all = named.Where(static one => one.Component is not null).Concat(pipeline.AdditionalComponents.Select(static one => (one.Key, (DiffusionComponent?)one.Value)));
        return new(all.ToDictionary(static one => one.Item1, static one => $"{one.Item2!.Library}/{one.Item2.Type}"), StringComparer.Ordinal);
    }

    private static bool Is(JsonElement row, string member) => row.TryGetProperty(member, out var value) && value.GetBoolean();

    /// <summary>Files by path: JSON, or text as it stands, or weights by the shapes of their tensors.</summary>
    private static MemoryModelFiles FilesOf(JsonElement row)
    {
        var files = new MemoryModelFiles();
        foreach (var file in row.GetProperty("files").EnumerateObject())
        {
            files.With(file.Name, file.Value.ValueKind == JsonValueKind.String ? file.Value.GetString()! : file.Value.GetRawText());
        }

        if (!row.TryGetProperty("weights", out var weights)) return files;
        foreach (var file in weights.EnumerateObject()) files.With(file.Name, WeightsOf(file.Value));
        return files;
    }

    private static byte[] WeightsOf(JsonElement weights)
    {
        var file = MemoryModelFiles.Safetensors([.. weights.GetProperty("tensors").EnumerateObject().Select(static tensor => (tensor.Name, tensor.Value.Deserialize<long[]>()!))]);
        if (weights.TryGetProperty("claims", out var claims)) return MemoryModelFiles.Raw("{}", 0, claims.GetUInt64());
        if (!weights.TryGetProperty("headerBytes", out var wanted)) return file;
        // The format lets blanks follow the header.
        var header = BitConverter.ToInt32(file, 0);
        var json = Encoding.UTF8.GetString(file, 8, header).PadRight(wanted.GetInt32());
        return MemoryModelFiles.Raw(json, file.Length - 8 - header);
    }
}
