using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Tests.Kube;

public sealed class ModelSpecReaderTests
{
    [Test]
    public void Every_field_we_act_on_is_read()
    {
        var model = KubernetesYaml.Deserialize<BaseModel>("""
            apiVersion: ome.io/v1beta1
            kind: BaseModel
            metadata:
              name: llama
              namespace: team-a
              uid: u-1
              generation: 7
              deletionTimestamp: "2026-05-06T12:00:00Z"
              labels: { models.ome/reserve-model-artifact: "TRUE" }
              annotations:
                ome.oracle.com/skip-config-parsing: "True"
                ome.io/integrity-mode: Deep
                ome.io/integrity-interval: 5m
                ome.io/integrity-deep-max-age: 3d
                ome.io/integrity-on-damage: ReportOnly
                ome.io/verify-now: "1"
            spec:
              modelFormat: { name: tensorrtllm }
              additionalMetadata: { type: Draft }
              storage:
                storageUri: hf://meta/llama@main
                path: /mnt/models/llama
                parameters: { region: fra }
                key: hub-token
                downloadPolicy: ReuseIfExists
                nodeSelector: { gpu: h100 }
                nodeAffinity:
                  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: ignored, operator: Exists }] } }]
                  requiredDuringSchedulingIgnoredDuringExecution:
                    nodeSelectorTerms:
                    - matchExpressions: [{ key: zone, operator: In, values: [a, b] }]
                      matchFields: [{ key: metadata.name, operator: NotIn, values: [n1] }]
                    - {}
            """);

        var spec = ModelSpecReader.Read(model);

        spec.Should().BeEquivalentTo(new ModelSpec
        {
            Key = ModelKey.Namespaced("team-a", "llama"),
            Uid = "u-1",
            Generation = 7,
            IsDeleting = true,
            StorageUri = "hf://meta/llama@main",
            StoragePath = "/mnt/models/llama",
            Parameters = new Dictionary<string, string> { ["region"] = "fra" },
            SecretName = "hub-token",
            NodeSelector = new Dictionary<string, string> { ["gpu"] = "h100" },
            RequiredTerms = [new([new("zone", "In", ["a", "b"])], [new("metadata.name", "NotIn", ["n1"])]), new([], [])],
            DownloadPolicy = DownloadPolicy.ReuseIfExists,
            FormatName = "tensorrtllm",
            Role = "Draft",
            KeepsFiles = true,
            SkipsConfigParsing = true,
            Integrity = new("Deep", "5m", "3d", "ReportOnly", "1"),
        });
    }

    [Test]
    public void An_object_of_name_and_uri_alone_gives_the_defaults()
    {
        var model = KubernetesYaml.Deserialize<ClusterBaseModel>("{metadata: {name: m}, spec: {storage: {storageUri: 'oci://n/x/b/y/o/z'}}}");

        ModelSpecReader.Read(model).Should().BeEquivalentTo(new ModelSpec { Key = ModelKey.Cluster("m"), StorageUri = "oci://n/x/b/y/o/z" });
    }

    [TestCase("{metadata: {name: m}}")]
    [TestCase("{metadata: {name: m}, spec: {}}")]
    [TestCase("{metadata: {name: m}, spec: {storage: {}}}")]
    public void An_object_OME_would_accept_without_storage_is_read_all_the_same(string yaml) =>
        ModelSpecReader.Read(KubernetesYaml.Deserialize<ClusterBaseModel>(yaml)).Should().Match<ModelSpec>(spec => spec.StorageUri.Length == 0 && spec.StoragePath == null);

    [Test]
    public void A_path_that_is_absent_is_not_one_that_is_empty()
    {
        Path("{metadata: {name: m}, spec: {storage: {storageUri: x, path: ''}}}").Should().Be("");
        Path("{metadata: {name: m}, spec: {storage: {storageUri: x}}}").Should().BeNull();

        static string? Path(string yaml) => ModelSpecReader.Read(KubernetesYaml.Deserialize<ClusterBaseModel>(yaml)).StoragePath;
    }

    [TestCase("ome.io/skip-config-parsing", "true", true)]
    [TestCase("ome.oracle.com/skip-config-parsing", "TRUE", true)]
    [TestCase("ome.oracle.com/skip-config-parsing", "yes", false)]
    [TestCase("other", "true", false)]
    public void Config_parsing_is_skipped_when_either_annotation_says_true(string annotation, string value, bool skips)
    {
        var model = new ClusterBaseModel { Metadata = new V1ObjectMeta { Name = "m", Annotations = new Dictionary<string, string> { [annotation] = value } } };
        ModelSpecReader.Read(model).SkipsConfigParsing.Should().Be(skips);
    }

    [Test]
    public void A_reference_leads_back_to_its_model()
    {
        foreach (var key in new[] { ModelKey.Cluster("c"), ModelKey.Namespaced("ns", "b") })
        {
            var reference = ModelSpecReader.ReferenceTo(new ModelSpec { Key = key, Uid = "u", StorageUri = "" });
            reference.Uid.Should().Be("u");
            ModelSpecReader.KeyOf(reference).Should().Be(key);
        }
        ModelSpecReader.KeyOf(new ModelReference { Kind = "Pod", Name = "x" }).Should().BeNull();
        ModelSpecReader.KeyOf(new ModelReference { Kind = "BaseModel", Name = "x" }).Should().BeNull("a BaseModel has a namespace");
    }

    [Test]
    public void Facts_of_a_node_are_its_name_and_labels()
    {
        NodeFactsReader.Read(new V1Node { Metadata = new() { Name = "n", Labels = new Dictionary<string, string> { ["a"] = "b" } } })
            .Should().BeEquivalentTo(new NodeFacts { Name = "n", Labels = new Dictionary<string, string> { ["a"] = "b" } });
        NodeFactsReader.Read(new V1Node { Metadata = new() { Name = "n" } }).Labels.Should().BeEmpty();
    }

    [Test]
    public void What_is_written_of_an_object_is_what_was_read()
    {
        const string json = """
            {"apiVersion":"ome.io/v1beta1","kind":"ClusterBaseModel","metadata":{"name":"m"},
             "spec":{"modelFormat":{"name":"safetensors","operator":"Equal","version":"1.0.0","weight":1},"modelType":"flux","modelFramework":{"name":"diffusers"},
              "modelArchitecture":"FluxPipeline","quantization":"fp8","modelParameterSize":"12B","modelCapabilities":["TEXT_TO_IMAGE"],"apiCapabilities":["OPENAI_V1_IMAGES_EDITS"],
              "modelConfiguration":{"a":{"b":[1,2.5,"x",null]},"Upper":true},"displayName":"d","version":"v","disabled":false,"vendor":"w","compartmentID":"ocid1",
              "servingMode":["On-demand"],"maxTokens":131072,"additionalMetadata":{"type":"Serving"},
              "diffusionPipeline":{"className":"FluxPipeline","scheduler":{"library":"diffusers","type":"X"},"textEncoder":{},"tokenizer":{},"transformer":{},"vae":{},
               "additionalComponents":{"text_encoder_2":{"library":"transformers","type":"T5"}}},
              "storage":{"storageUri":"hf://a/b","path":"/p","schemaPath":"/s","parameters":{"secretKey":"k"},"key":"s","downloadPolicy":"AlwaysDownload","nodeSelector":{"a":"b"},
               "nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"preference":{"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]},"weight":3}],
                "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"k","operator":"Exists"}]}]}}}},
             "status":{"lifecycle":"Public","state":"In_Transit","nodesReady":["a"],"nodesFailed":["b"],"nodeSummary":"1/2","observedGeneration":3,"oldestProofTime":"2026-05-06T12:00:00Z",
              "nodesDamaged":[{"node":"b","reason":"DigestMismatch","message":"m","since":"2026-05-06T12:00:00Z"}],
              "conditions":[{"type":"Ready","status":"False","observedGeneration":3,"lastTransitionTime":"2026-05-06T12:00:00Z","reason":"R","message":""}]}}
            """;

        var back = KubernetesJson.Serialize(KubernetesJson.Deserialize<ClusterBaseModel>(json));

        Support.Golden.CanonicalJson(back).Should().Be(Support.Golden.CanonicalJson(json));
    }
}
