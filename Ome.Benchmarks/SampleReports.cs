using System.Text.Json;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks;

/// <summary>Entries as a fleet has them.</summary>
internal static class SampleReports
{
    private static readonly JsonElement Decoded = JsonDocument.Parse(
        """
        {"architecture":"LlamaForCausalLM","context_length":131072,"has_vision":false,"is_embedding":false,"model_size_bytes":16060522496,
         "model_type":"llama","parameter_count":"8.03B","torch_dtype":"bfloat16","transformers_version":"4.42.3"}
        """).RootElement.Clone();

    public static string ReadyEntry(string name, string storageUri) => NodeReportCodec.Encode(Ready(name, storageUri));

    public static NodeModelEntry Ready(string name, string storageUri) => new()
    {
        Name = name,
        Status = NodeModelStates.Ready,
        StorageUri = storageUri,
        StoragePath = "/mnt/models/" + name,
        Config = new ReportedConfig
        {
            ModelType = "llama",
            ModelArchitecture = "LlamaForCausalLM",
            ModelFramework = new NameAndVersion { Name = "transformers", Version = "4.42.3" },
            ModelFormat = new NameAndVersion { Name = "safetensors", Version = "1.0.0" },
            ModelParameterSize = "8.03B",
            MaxTokens = 131072,
            ModelCapabilities = ["TEXT_TO_TEXT"],
            DecodedModelConfiguration = Decoded,
            Artifact = new ReportedArtifact
            {
                Sha = "0e9e39f249a16976918f6564b8830bc894c89659",
                ParentPath = new Dictionary<string, string>(StringComparer.Ordinal) { ["clusterbasemodel." + name] = "/mnt/models/" + name },
                ChildrenPaths = [],
            },
        },
        Validation = new ReportedValidation
        {
            Mode = "Deep",
            Result = ValidationResults.Valid,
            LastCheckedTime = new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero),
            OldestProofTime = new DateTimeOffset(2026, 7, 30, 12, 0, 0, TimeSpan.Zero),
            FilesChecked = 12,
            BytesChecked = 16060522496,
            ManifestDigest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ObservedGeneration = 1,
        },
    };
}
