using System.Text.Json.Serialization;

namespace Ome.Agent.Staging.Oci;

internal sealed record ObjectPage(ObjectSummary[]? Objects, string? NextStartWith);

internal sealed record ObjectSummary(string? Name, long? Size, string? Md5, string? Etag);

internal sealed record OciError(string? Code, string? Message);

internal sealed record TokenAnswer(string? Token);

internal sealed record FederationDetails(string Certificate, string PublicKey, string[] IntermediateCertificates, string Purpose, string FingerprintAlgorithm);

internal sealed record WorkloadDetails(string PodKey);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ObjectPage))]
[JsonSerializable(typeof(OciError))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(FederationDetails))]
[JsonSerializable(typeof(WorkloadDetails))]
[JsonSerializable(typeof(string))]
internal sealed partial class OciJson : JsonSerializerContext;
