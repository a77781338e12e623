using System.Diagnostics;
using System.Text;
using Ome.Shared.Domain.Metadata;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Laws;

/// <summary>
/// Every parser of what lies on disk or on the wire, against mutated inputs: a value or a refusal, never an exception, never more than 64 MiB.
/// 2,000 inputs each in <c>make test</c>, a million each in <c>make laws</c>. An input is made from its number alone, so a failure names it.
/// </summary>
public sealed class ParserLaws
{
    private const long MaxAllocated = 64L * 1024 * 1024;

#pragma warning disable RS0030 // how long to hunt is the caller's choice
    private static readonly int Inputs = Environment.GetEnvironmentVariable("OME_LAWS") == "long" ? 1_000_000 : 2_000;
#pragma warning restore RS0030

    private const string Config = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"vocab_size":128256,"max_position_embeddings":131072,
         "torch_dtype":"bfloat16","rope_scaling":{"factor":8.0,"rope_type":"llama3"},"quantization_config":{"quant_method":"fp8"},"text_config":{"hidden_size":1},"vision_config":null}
        """;

    private const string Index = """{"metadata":{"total_size":1024},"weight_map":{"a.weight":"model-00001-of-00002.safetensors","b.weight":"model-00002-of-00002.safetensors"}}""";

    private const string Entry = """
        {"name":"m","status":"Ready","progress":{"phase":"Downloading","percentage":50},"config":{"modelType":"llama","modelArchitecture":"L","maxTokens":4096,
         "modelFormat":{"name":"safetensors","version":"1"},"modelCapabilities":["TEXT_TO_TEXT"]},"storageUri":"hf://a/b","storagePath":"/m",
         "validation":{"mode":"Deep","result":"Valid","lastCheckedTime":"2026-01-02T03:04:05Z","filesChecked":3,"bytesChecked":1024}}
        """;

    private static readonly byte[][] Tokens =
    [
        .. new[] { "{", "}", "[", "]", "\"", ":", ",", "null", "true", "-1", "1e400", "9223372036854775808", "\\ud800", "../", "\0", "é", "\"shape\":[0]", "\"dtype\":\"F8_E5M2\"", "GGUF" }
            .Select(Encoding.UTF8.GetBytes),
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0, 0, 0, 0, 0], [0xff, 0xfe],
    ];

    [Test]
    public void Any_safetensors_file_is_a_header_or_a_problem() => Hunt(
        [WeightFiles.Safetensors(1, 60), WeightFiles.Safetensors("""{"__metadata__":{"format":"pt"},"t":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}""", new byte[8])],
        bytes => OneOf(SafetensorsHeader.Read(new ArrayByteSource(bytes))));

    [Test]
    public void Any_gguf_file_is_a_header_or_a_problem() => Hunt([WeightFiles.Gguf(1, 8), WeightFiles.Gguf(2, 1, tensors: 1)], bytes => OneOf(GgufHeader.Read(new ArrayByteSource(bytes))));

    [Test]
    public void Any_index_is_an_index_or_a_problem() => Hunt([Encoding.UTF8.GetBytes(Index)], bytes => OneOf(WeightIndex.Read(new ArrayByteSource(bytes))));

    [Test]
    public void Any_config_is_read_or_refused_with_a_reason() => Hunt(
        [Encoding.UTF8.GetBytes(Config)],
        bytes => ConfigReader.Read(new MemoryModelFiles().With("config.json", bytes)) is not null);

    [Test]
    public void Any_entry_is_an_entry_or_an_error() => Hunt([Encoding.UTF8.GetBytes(Entry)], bytes =>
    {
        var isEntry = NodeReportCodec.TryDecode(Encoding.UTF8.GetString(bytes), out var entry, out var error);
        return isEntry == (entry is not null) && isEntry == (error is null);
    });

    private static bool OneOf<T>(Parsed<T> parsed)
        where T : class => (parsed.Value is null) != (parsed.Problem is null);

    private static void Hunt(byte[][] sound, Func<byte[], bool> holds)
    {
        var started = Stopwatch.GetTimestamp();
        for (var number = 0; number < Inputs; number++)
        {
            var input = Mutate(sound[number % sound.Length], new Random(number));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (!holds(input)) Assert.Fail($"input {number} is neither a value nor a refusal, or both: {Convert.ToBase64String(input)}");
            }
            catch (Exception thrown) when (thrown is not NUnit.Framework.AssertionException)
            {
                Assert.Fail($"input {number} threw {thrown}: {Convert.ToBase64String(input)}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > MaxAllocated) Assert.Fail($"input {number} took {allocated} bytes: {Convert.ToBase64String(input)}");
        }

        TestContext.Out.WriteLine($"{Inputs:N0} inputs in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
    }

    // One to six edits: a byte, a bit, a token put in or over, a piece cut out or doubled, the end cut off.
    private static byte[] Mutate(byte[] sound, Random random)
    {
        var bytes = new List<byte>(sound);
        for (var edits = random.Next(1, 7); edits > 0 && bytes.Count > 0; edits--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 20), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]); break;
                case 3:
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                    break;
                case 4: bytes.RemoveRange(at, length); break;
                case 5: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                default:
                    if (random.Next(4) == 0) bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
